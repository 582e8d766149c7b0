import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/project-root";
import { removeShells, shells } from "../support/shells";

const source = readFileSync(join(projectRoot, "stack-templates/lwsandbox/start.sh"), "utf8");
afterAll(removeShells);

describe.each(shells())("the server's start in $name", ({ command: [shell, ...args], path }) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "start-"));
    for (const name of ["keys", "secrets", "bin"]) mkdirSync(join(folder, name));
    // The server writes down what it was given, and lives until the script has seen it ready.
    writeFileSync(
      join(folder, "server"),
      `#!/bin/sh\nenv | grep -E '^(ADMIN|SANDBOX)_' | sort >environment\nsleep 0.3\n`,
      {
        mode: 0o755,
      },
    );
    writeFileSync(join(folder, "bin/wget"), "#!/bin/sh\n", { mode: 0o755 });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const key = () => readFileSync(join(folder, "keys/token"), "utf8");
  function start(password: string, revision: string, user = "jo"): SpawnSyncReturns<string> {
    writeFileSync(join(folder, "secrets/admin-password"), password);
    const script = source.replaceAll("/keys", join(folder, "keys")).replaceAll("/run/secrets", join(folder, "secrets"));
    writeFileSync(join(folder, "start.sh"), script);
    const env = {
      PATH: `${join(folder, "bin")}:${path}`,
      PORT: "8080",
      ADMIN_USERNAME: user,
      LOGIN_REVISION: revision,
    };
    return spawnSync(shell, [...args, "start.sh"], { cwd: folder, encoding: "utf8", env });
  }
  const given = () => {
    const lines = readFileSync(join(folder, "environment"), "utf8").trim().split("\n");
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  };

  it("makes the key of tokens once, of 32 bytes, and hands it over from then on", () => {
    start("a password", "r1");
    const first = key();
    expect(Buffer.from(first, "base64")).toHaveLength(32);
    expect(given()["SANDBOX_TOKEN_ENCRYPTION_KEY"]).toBe(first);
    start("another password", "r2");
    expect(key()).toBe(first);
    expect(given()["SANDBOX_TOKEN_ENCRYPTION_KEY"]).toBe(first);
  });

  it("sets a new password once, so that one changed in the pages stays through later starts", () => {
    const password = `pä'ss "wörd" $HOME & \\n %s`;
    start(password, "r1");
    expect(given()).toMatchObject({ ADMIN_INITIAL_PASSWORD: password, ADMIN_PASSWORD: password });
    start(password, "r1");
    expect(given()).not.toHaveProperty("ADMIN_PASSWORD");
    expect(given()).toMatchObject({ ADMIN_INITIAL_PASSWORD: password });
    start("a new one", "r2");
    expect(given()).toMatchObject({ ADMIN_PASSWORD: "a new one" });
  });

  it("sets it again where the server never became ready with it", () => {
    writeFileSync(join(folder, "bin/wget"), "#!/bin/sh\nsleep 0.1\nexit 1\n", { mode: 0o755 });
    start("a password", "r1");
    start("a password", "r1");
    expect(given()).toMatchObject({ ADMIN_PASSWORD: "a password" });
  });

  it("refuses another user name, which the server would not make", () => {
    start("a password", "r1");
    const { status, stderr } = start("a password", "r1", "mallory");
    expect([status, stderr]).toEqual([
      1,
      "lwsandboxAdminUsername cannot change any more: the server's user is called jo\n",
    ]);
  });
});
