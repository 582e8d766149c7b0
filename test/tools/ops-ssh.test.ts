// The agent that ops hands the private key to: the real ssh-agent and ssh-add.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, run } from "../../cli/run";
import { newKeyPair } from "../../sandbox/host/keys";
import { projectRoot } from "../support/project-root";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ops-ssh-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Opens a connection in a process of its own, closes it where that worked, and waits until the process ends by itself. */
async function opened(privateKey: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const script = `import { Ssh } from ${JSON.stringify(join(projectRoot, "ops/ssh"))};
    Ssh.open(JSON.parse(process.env.CONNECTION)).then(
      (ssh) => { console.log("open"); ssh.close(); },
      (error) => console.log(error.message),
    );`;
  const connection = { host: "192.0.2.1", port: 22, user: "root", hostKey: newKeyPair().publicKey, privateKey };
  writeFileSync(join(folder, "open.ts"), script);
  const options = { env: { ...env, TMPDIR: folder, CONNECTION: JSON.stringify(connection) }, timeoutMs: 20_000 };
  const said = await run(process.execPath, ["--import", "tsx", join(folder, "open.ts")], options).catch(
    (error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      return { stdout: error.message };
    },
  );
  expect(readdirSync(folder).filter((name) => name.startsWith("cloudcode-ops-"))).toEqual([]);
  return said.stdout.trim();
}

it("is gone when the connection is closed", async () => {
  expect(await opened(newKeyPair().privateKey)).toBe("open");
});

it("is gone where the key is refused, so that the command ends", async () => {
  expect(await opened("no key")).toMatch(/^ssh-add refuses the stack's private key: /);
});

it("is waited for until it answers, and not only until the file of its socket is there", async () => {
  const real = execFileSync("sh", ["-c", "command -v ssh-agent"], { encoding: "utf8" }).trim();
  const slow = join(folder, "ssh-agent");
  writeFileSync(slow, `#!/bin/sh\n: >"$3"; sleep 1; rm "$3"; exec ${real} "$@"\n`);
  chmodSync(slow, 0o755);
  const PATH = `${folder}:${process.env["PATH"] ?? ""}`;
  expect(await opened(newKeyPair().privateKey, { PATH })).toBe("open");
});
