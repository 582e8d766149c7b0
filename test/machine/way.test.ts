import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { ReachInput } from "../../components/host/reach";
import { reachCommand } from "../../components/host/reach-command";
import { privateKey } from "../../components/settings/checks";
import { shellWord } from "../../components/stack/escape";
import { projectRoot } from "../support/project-root";
import { Machine, chosenSystems } from "./machine";

// What the first look at a machine proves is what every later command does, through the machine's real sshd: any login shell, any form
// of the key, any environment of the operator's, root and a user of sudo.
jest.setTimeout(15 * 60_000);

const shells = ["bash", "dash", "zsh", "fish", "tcsh"];
const accounts = ["root", "admin"];

/** How a key may come out of an editor, a browser or a password manager. */
const forms: Readonly<Record<string, (key: string) => string>> = {
  "as ssh-keygen writes it": (key) => key,
  "with Windows' line ends": (key) => key.replaceAll("\n", "\r\n"),
  "with a byte order mark": (key) => `\ufeff${key}`,
  "without the last line end": (key) => key.trimEnd(),
};

let folder: string;
let agent: Server;

/** An operator's machine: what its environment and its ~/.ssh/config say. */
interface Operator {
  readonly env: Readonly<Record<string, string>>;
  readonly config: string;
}

const operators = (): Readonly<Record<string, Operator>> => ({
  "nothing odd": { env: {}, config: "" },
  "an agent that is gone, and a configuration that leads elsewhere": {
    env: { SSH_AUTH_SOCK: "/nonexistent/agent.1" },
    config: "Host *\n  Port 1\n  User nobody\n  ProxyCommand false\n  RemoteCommand false\n  RequestTTY force\n",
  },
  "an agent that never answers, and a file that is no key": {
    env: { SSH_AUTH_SOCK: join(folder, "agent") },
    config: `Host *\n  IdentityFile ${join(folder, "agent")}\n  IdentitiesOnly yes\n  HostKeyAlgorithms ssh-rsa\n  SendEnv *\n`,
  },
  "a locale that is nowhere, a program that asks for passwords, and a configuration that is none": {
    env: {
      LANG: "xx_YY.UTF-8",
      LC_ALL: "xx_YY.UTF-8",
      TMPDIR: "/nonexistent",
      SSH_ASKPASS: join(folder, "askpass"),
      SSH_ASKPASS_REQUIRE: "force",
      DISPLAY: ":9",
    },
    config: "Nonsense yes\n",
  },
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line of sh as such an operator, who has nothing else in ~/.ssh. */
async function runAs({ env, config }: Operator, line: string, input: unknown): Promise<Run> {
  writeFileSync(join(folder, "ssh", "config"), config, { mode: 0o600 });
  const own = `mount --bind ${shellWord(join(folder, "ssh"))} ${shellWord(join(homedir(), ".ssh"))} && ${line}`;
  const { PATH = "" } = process.env;
  const child = spawn("unshare", ["--mount", "sh", "-c", own], {
    cwd: projectRoot,
    env: { PATH, HOME: homedir(), ...env },
  });
  child.stdin.end(JSON.stringify(input));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** What the shell, the form of the key and the operator's machine must not change. */
const script = `cat; id -u; echo "$HOME \${SSH_CONNECTION%% *}" 'it'"'"'s ! \\ %'; for i in 1 2; do echo $i; done; umask`;

describe.each(chosenSystems.slice(0, 1))("the way to %s", (system) => {
  let machine: Machine;
  let client: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "way-"));
    for (const path of [join(folder, "ssh"), join(homedir(), ".ssh")])
      mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "askpass"), "#!/bin/sh\nsleep 600\n");
    chmodSync(join(folder, "askpass"), 0o755);
    agent = createServer(() => undefined);
    await new Promise<void>((resolve) => agent.listen(join(folder, "agent"), resolve));
    machine = await Machine.start(system, "way");
    client = machine.address.replace(/\d+$/, "1");
    await machine.install("zsh", "fish", "tcsh");
    // What the shells say by themselves in a session that has no terminal.
    await machine.run(
      `for home in /root /home/admin; do
         mkdir -p $home/.config/fish
         for file in .bashrc .zshenv .tcshrc .config/fish/config.fish; do echo 'echo Welcome; stty sane' >$home/$file; done
       done; chown -R admin: /home/admin`,
    );
  });
  afterAll(async () => {
    agent.close();
    rmSync(folder, { recursive: true });
    await machine.remove();
  });

  const connection = (user: string, key: string) => ({
    host: machine.address,
    port: 22,
    user,
    privateKey: key,
    hostKey: machine.hostKey.public,
  });
  const input = ({ host: address, ...rest }: ReturnType<typeof connection>, more: Partial<ReachInput> = {}) => ({
    address,
    ...rest,
    seconds: 30,
    ...more,
  });
  const ops = `exec node --import tsx test/machine/way/ops.ts ${shellWord(script)}`;

  describe.each(accounts)("as %s", (user) => {
    it.each(shells)("through %s does as the first look says", async (shell) => {
      await machine.run(`usermod --shell $(command -v ${shell}) ${user}`);
      const shift = shells.indexOf(shell) + accounts.indexOf(user);
      const all = Object.entries(operators());
      const seen: Record<string, unknown> = {};
      for (const [index, [form, write]] of Object.entries(forms).entries()) {
        const [name = "", operator = { env: {}, config: "" }] = all[(index + shift) % all.length] ?? [];
        const key = privateKey.parse(write(machine.login.private));
        const look = await runAs(operator, reachCommand("true"), input(connection(user, key)));
        const limit = { seconds: 60, graceSeconds: 5 };
        const later = await runAs(
          operator,
          reachCommand(script),
          input(connection(user, key), { limit, payload: "payload\n" }),
        );
        seen[`${form}, ${name}`] = { look, later, ops: await runAs(operator, ops, connection(user, key)) };
      }
      const words = `0\n/root ${client} it's ! \\ %\n1\n2\n0022\n`;
      const answer = {
        look: { code: 0, stdout: "", stderr: "" },
        later: { code: 0, stdout: `payload\n${words}`, stderr: "" },
        ops: { code: 0, stdout: `payload\n${words}${words}`, stderr: "" },
      };
      expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((each) => [each, answer])));
      expect(Object.keys(seen)).toHaveLength(Object.keys(forms).length);
    });
  });

  it("is refused in the same words at first and later, where the account has no shell", async () => {
    await machine.run("usermod --shell /usr/sbin/nologin admin");
    const operator = { env: {}, config: "" };
    const to = connection("admin", machine.login.private);
    const refused =
      /^Shell: \S+ port 22 let user admin in, but ran no command there: This account is currently not available\./;
    expect((await runAs(operator, reachCommand("true"), input(to))).stderr).toMatch(refused);
    expect((await runAs(operator, ops, to)).stderr).toMatch(refused);
  });
});
