import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../cli/run";
import { projectRoot } from "../../../sandbox/folder";
import type { Check } from "../../../ops/status/check";
import { type World, failureOf } from "../world";
import { outputOf } from "../ops/run";

/** `npm run sandbox -- shell` and `open`, as a person uses them on a sandbox that is up. */
export function commands(world: World): void {
  const sandbox = (command: string, words: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    run(
      process.execPath,
      ["--import", "tsx", "sandbox/main.ts", command, "--name", world.sandbox.name, "--", ...words],
      { cwd: projectRoot, env },
    );
  const committed = () => readFileSync(join(projectRoot, "Pulumi.sandbox.yaml"), "utf8");

  test("its shell knows the stack: outputs, configuration and previews, and the committed stack file stays as it is", async () => {
    const before = committed();
    const { stdout } = await sandbox("shell", ["pulumi", "stack", "output", "url"]);
    expect(stdout).toBe(`https://${world.domain}\n`);
    expect((await sandbox("shell", ["pulumi", "config", "get", "target"])).stdout).toBe("existing\n");
    await sandbox("shell", ["pulumi", "preview", "--expect-no-changes"]);
    expect(committed()).toBe(before);
  });

  test("its shell has npm run ops, which trusts its certificates, and ends as the command did", async () => {
    const { stdout } = await sandbox("shell", ["npm", "run", "-s", "ops", "--", "status", "--json"]).catch(outputOf);
    const checks = JSON.parse(stdout) as Check[];
    const certificates = checks.filter(({ name }) => name.startsWith("certificate "));
    expect(certificates.length).toBeGreaterThan(1);
    expect(certificates.filter(({ state }) => state !== "ok")).toEqual([]);
    await expect(sandbox("shell", ["sh", "-c", "exit 7"])).rejects.toThrow("exit code 7");
  });

  test("open shows the login in a browser that trusts its certificates and needs no DNS", async () => {
    const folder = mkdtempSync(join(tmpdir(), "browser-"));
    const program = join(folder, "chromium");
    writeFileSync(program, `#!/bin/sh\nexec chromium --headless=new --virtual-time-budget=10000 --dump-dom "$@"\n`);
    chmodSync(program, 0o755);
    try {
      const { stdout } = await sandbox("open", [], { CHROME_PATH: program });
      expect(stdout).toContain('id="username-textfield"');
    } finally {
      rmSync(folder, { recursive: true });
    }
    const nowhere = { CHROME_PATH: "", DISPLAY: "", WAYLAND_DISPLAY: "" };
    expect(await failureOf(sandbox("open", [], nowhere))).toContain("There is no screen here");
  });
}
