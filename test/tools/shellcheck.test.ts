import { spawnSync } from "node:child_process";
import { hostScripts } from "../support/host-scripts";

it.each(hostScripts)("shellcheck has no finding in %s", (path) => {
  const { error, status, stdout } = spawnSync("shellcheck", ["--shell=sh", path], { encoding: "utf8" });
  expect({ error, status, stdout }).toEqual({ error: undefined, status: 0, stdout: "" });
});
