import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { donation, tgSigner } from "../support/least-apps";
import { textOf } from "../support/plain";
import { hostKey, privateKey } from "../support/minimal";
import { type ProgramRun, runProgram } from "../support/program";

const value = (run: ProgramRun, name: string) => run.outputs[name]?.value;

describe("the outputs of a stack", () => {
  it("give the operator addresses, names and the next steps in plain text, and the password as a secret", async () => {
    const { outputs } = await runProgram({ domain: "home.example.com", adminUsername: "jo" });
    const secrecy = Object.entries(outputs).map(([name, { secret }]) => [name, secret]);
    expect(Object.fromEntries(secrecy)).toEqual({
      url: false,
      urls: false,
      adminUsername: false,
      adminPassword: true,
      appLogins: false,
      publicAddress: false,
      sshCommand: false,
      sshPrivateKey: true,
      nextSteps: false,
      operations: true,
    });
    expect(outputs["url"]?.value).toBe("https://home.example.com");
    expect(outputs["urls"]?.value).toEqual({ OpenCode: "https://code.home.example.com" });
    expect(outputs["adminUsername"]?.value).toBe("jo");
    expect(outputs["publicAddress"]?.value).toBe("203.0.113.7");
  });

  it("hold a generated password of 24 letters and digits, or the one that was set", async () => {
    expect(value(await runProgram(), "adminPassword")).toMatch(/^[A-Za-z0-9]{24}$/);
    const own = await runProgram({ adminPassword: "a long passphrase of mine" });
    expect(own.outputs["adminPassword"]).toEqual({ value: "a long passphrase of mine", secret: true });
  });

  it("name an sslip.io domain below the address where no domain is set", async () => {
    const run = await runProgram();
    expect(value(run, "url")).toBe("https://203-0-113-7.sslip.io");
    expect(JSON.stringify(value(run, "nextSteps"))).toContain("sslip.io does that automatically");
  });
});

describe("sshCommand", () => {
  // What the shell runs first. Those that are not on this machine are left out, but for the first two.
  const shells = {
    sh: "set -C",
    bash: "set -o noclobber",
    dash: "set -C",
    ksh: "set -C",
    mksh: "set -C",
    yash: "set -C",
  };
  const others = { zsh: "setopt noclobber", fish: "", csh: "set noclobber", tcsh: "set noclobber" };
  const present = Object.entries({ ...shells, ...others }).filter(
    ([shell]) => spawnSync("sh", ["-c", `command -v ${shell}`]).status === 0,
  );
  let line: string;
  let home: string;
  beforeAll(async () => {
    line = textOf(value(await runProgram({ hostUser: "ubuntu", hostPort: "2222" }), "sshCommand"));
  });
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "home-"));
    const programs = {
      // The agent holds what ssh-add was given, as long as its command runs.
      "ssh-agent": 'KEYS=$(mktemp); export KEYS; "$@"; rm "$KEYS"',
      "ssh-add": '[ "$*" = "-q -" ] && cat >"$KEYS"',
      pulumi: '[ "$*" = "stack output sshPrivateKey --show-secrets --stack test" ] && echo the key',
      ssh: '[ "$(cat "$KEYS")" = "the key" ] && printf "%s\\n" "$@"; cat "$HOME/.ssh/known_hosts_cloudcode-test"',
    };
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(home, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  it("is tried in the shells that every Debian has", () => {
    expect(present.map(([shell]) => shell)).toEqual(expect.arrayContaining(["sh", "bash"]));
  });

  it.each(present)(
    "pasted into %s opens a shell with the pinned key in a known_hosts file of its own, also when one is there",
    (shell, before) => {
      writeFileSync(join(home, "pasted"), `${before}\n${line}\n${line}\n`);
      const pasted = spawnSync(shell, [join(home, "pasted")], {
        encoding: "utf8",
        env: { ...process.env, HOME: home, PATH: `${home}:${process.env["PATH"] ?? ""}` },
      });
      const once = [
        "-o",
        "UserKnownHostsFile=~/.ssh/known_hosts_cloudcode-test",
        "-o",
        "HostKeyAlias=cloudcode-test",
        "-o",
        "StrictHostKeyChecking=yes",
        "-p",
        "2222",
        "ubuntu@203.0.113.7",
        `cloudcode-test ${hostKey}`,
      ];
      expect([pasted.stderr, pasted.stdout.trim().replaceAll(home, "~").split("\n")]).toEqual(["", [...once, ...once]]);
    },
  );
});

describe("nextSteps", () => {
  it("without a mail server name the command that prints the one-time code", async () => {
    const steps = JSON.stringify(value(await runProgram({ domain: "home.example.com" }), "nextSteps"));
    expect(steps).toContain("home.example.com and *.home.example.com must point to 203.0.113.7.");
    expect(steps).toContain("https://auth.home.example.com/settings/two-factor-authentication");
    expect(steps).toContain("npm run ops -- otp waits for it and prints it.");
  });

  it("with a mail server name the address the code goes to", async () => {
    const run = await runProgram({ smtpAddress: "submission://smtp.example.com:587", adminEmail: "me@example.com" });
    const steps = JSON.stringify(value(run, "nextSteps"));
    expect(steps).toContain("The one-time code arrives at me@example.com.");
    expect(steps).not.toContain("ops -- otp");
  });
});

describe("operations", () => {
  it("hold what a command on the host needs, and what the names of the stack must answer", async () => {
    const run = await runProgram({ domain: "home.example.com", hostPort: "2222", hostUser: "ubuntu" });
    expect(value(run, "operations")).toEqual({
      connection: { host: "203.0.113.7", port: 2222, user: "ubuntu", privateKey, hostKey },
      awake: true,
      domain: "home.example.com",
      publicAddress: "203.0.113.7",
      operator: "admin",
      stacks: ["auth", "edge", "opencode"],
      sites: [{ title: "OpenCode", host: "code.home.example.com", open: false }],
    });
  });

  it("name the Apps whose data may be in use on one host only", async () => {
    const run = await runProgram({ ...donation, ...tgSigner });
    expect(value(run, "operations")).toMatchObject({ onlyOnce: ["tg-signer", "donation"] });
  });

  it("say where codes go when there is a mail server", async () => {
    const run = await runProgram({ domain: "home.example.com", smtpAddress: "submission://smtp.example.com:587" });
    expect(value(run, "operations")).toMatchObject({ codesTo: "admin@home.example.com" });
  });
});
