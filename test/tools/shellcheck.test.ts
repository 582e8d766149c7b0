import { spawnSync } from "node:child_process";
import { hostScripts } from "../support/host-scripts";

it("shellcheck has no finding in a script of hosts and containers", () => {
  // All at once: it follows only files that it was given.
  const { error, status, stdout } = spawnSync("shellcheck", ["--shell=sh", ...hostScripts], { encoding: "utf8" });
  expect(hostScripts.length).toBeGreaterThan(50);
  expect({ error, status, stdout }).toEqual({ error: undefined, status: 0, stdout: "" });
});
