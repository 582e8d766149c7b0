import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReachInput } from "../../components/host/reach";
import { reachCommand } from "../../components/host/reach-command";
import { keyPair } from "../support/keys";
import { projectRoot } from "../support/project-root";
import { type Answer, type Listening, account, closedPort, plainServer, sshHost } from "../support/ssh-host";

const login = keyPair();
const host = keyPair();

/** An account that runs no command. */
const ends =
  (code: number, words = ""): Answer =>
  (_command, channel) => {
    channel.stderr.write(words);
    channel.exit(code);
    channel.end();
  };

/** A machine on which no user may become root. */
const noSudo = mkdtempSync(join(tmpdir(), "no-sudo-"));
writeFileSync(join(noSudo, "sudo"), "#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n", { mode: 0o755 });
afterAll(() => {
  rmSync(noSudo, { recursive: true });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly said: string;
  readonly seconds: number;
}

/** Runs what the program gives Pulumi to run: the command line, in the project's folder, the connection on its input. */
async function reach(
  port: number,
  seconds: number,
  rest: Partial<ReachInput> & { command?: string; urn?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  const { command = "true", urn, env, ...more } = rest;
  const begin = Date.now();
  const child = spawn("/bin/sh", ["-c", reachCommand(command, urn)], {
    cwd: projectRoot,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const keys = { privateKey: login.private, hostKey: host.public };
  const input: ReachInput = { address: "127.0.0.1", port, user: "root", ...keys, seconds, ...more };
  child.stdin.end(JSON.stringify(input));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, said: `${stdout}${stderr}`.trim(), seconds: (Date.now() - begin) / 1000 };
}

const servers: Listening[] = [];
const open = async (server: Promise<Listening>) => {
  const listening = await server;
  servers.push(listening);
  return listening.port;
};
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
jest.setTimeout(60_000);

describe("a host that answers", () => {
  it("is reached over one connection, and runs the command that was asked for with its standard input", async () => {
    let connections = 0;
    const listening = await sshHost(host.private, login.private, account());
    const counting = await plainServer((socket) => {
      connections += 1;
      const through = connect(listening.port, "127.0.0.1");
      socket.pipe(through).pipe(socket);
      through.on("error", () => socket.destroy());
    });
    servers.push(listening, counting);
    const command = `cat; echo "it's \\ ! a" 'b c'; echo warned >&2`;
    const { code, stdout, said } = await reach(counting.port, 10, { command, payload: "payload\n" });
    expect([code, stdout, said]).toEqual([0, "payload\nit's \\ ! a b c\n", "payload\nit's \\ ! a b c\nwarned"]);
    expect(connections).toBe(1);
  });

  it("needs no agent, and asks none: not one that is gone, nor one that answers nothing", async () => {
    const port = await open(sshHost(host.private, login.private, account()));
    const silent = createServer(() => undefined);
    const socket = join(noSudo, "agent");
    await new Promise<void>((resolve) => silent.listen(socket, resolve));
    for (const env of [{ SSH_AUTH_SOCK: "/nonexistent/agent.1" }, { SSH_AUTH_SOCK: socket }, { HOME: "/nonexistent" }])
      expect(await reach(port, 10, { env })).toMatchObject({ code: 0, said: "" });
    silent.close();
  });

  it("is waited for while it boots", async () => {
    const port = await closedPort();
    const reached = reach(port, 30);
    await sleep(2500);
    await open(sshHost(host.private, login.private, account(), port));
    expect(await reached).toMatchObject({ code: 0, said: "" });
  });

  it("may have a host key of another type", async () => {
    const ecdsa = keyPair("ecdsa");
    const port = await open(sshHost(ecdsa.private, login.private, account()));
    expect(await reach(port, 10, { hostKey: ecdsa.public })).toMatchObject({ code: 0, said: "" });
  });
});

describe("a host that does not answer in time is reported by how far it came", () => {
  it("a refused port", async () => {
    const port = await closedPort();
    const { code, said, seconds } = await reach(port, 3);
    expect(said).toBe(
      `TCP: 127.0.0.1 port ${port} accepted no connection within 3 s (ECONNREFUSED). Is the machine on, and is the port open to your address?`,
    );
    expect(code).toBe(1);
    expect(seconds).toBeGreaterThan(3);
    expect(seconds).toBeLessThan(15);
  });

  it.each<[string, Parameters<typeof plainServer>[0], string]>([
    ["a port that stays silent", () => undefined, "no answer"],
    ["a port that closes at once", (socket) => socket.end(), "connection closed"],
    ["a port of something else", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), "not an SSH server"],
  ])("%s", async (_what, serve, detail) => {
    const port = await open(plainServer(serve));
    const { code, said, seconds } = await reach(port, 2);
    expect(said).toBe(
      `Banner: 127.0.0.1 port ${port} accepted the connection but sent no SSH banner within 2 s (${detail}). Is it an SSH server?`,
    );
    expect(code).toBe(1);
    expect(seconds).toBeLessThan(15);
  });

  it("a handshake that never ends", async () => {
    const port = await open(plainServer((socket) => socket.write("SSH-2.0-OpenSSH_9.6\r\n")));
    const { code, said } = await reach(port, 2);
    expect(said).toBe(
      `Handshake: 127.0.0.1 port ${port} did not complete the SSH handshake within 2 s (Timed out while waiting for handshake).`,
    );
    expect(code).toBe(1);
  });
});

describe("what time cannot heal is reported at once", () => {
  const patience = 3600;

  it("another host key than the pinned one", async () => {
    const other = keyPair();
    const port = await open(sshHost(other.private, login.private, ends(0)));
    const { code, said } = await reach(port, patience);
    expect(said).toBe(
      `Host key: 127.0.0.1 port ${port} showed ${other.public}, but ${host.public} is pinned. If the machine was reinstalled, check its key on its console and set hostKey.`,
    );
    expect(code).toBe(1);
  });

  it("no host key of the pinned type", async () => {
    const port = await open(sshHost(keyPair("ecdsa").private, login.private, ends(0)));
    const { code, said } = await reach(port, patience);
    expect(said).toMatch(`Host key: 127.0.0.1 port ${port} showed no ssh-ed25519 key, but ${host.public} is pinned.`);
    expect(code).toBe(1);
  });

  it("a login key that the host does not know", async () => {
    const port = await open(sshHost(host.private, keyPair().private, ends(0)));
    const { code, said } = await reach(port, patience);
    expect(said).toBe(
      `Authentication: 127.0.0.1 port ${port} refused the key for user root (All configured authentication methods failed). Is the public half in ~root/.ssh/authorized_keys?`,
    );
    expect(code).toBe(1);
  });

  it("a user that may not become root", async () => {
    const path = `${noSudo}:${process.env["PATH"] ?? ""}`;
    const port = await open(sshHost(host.private, login.private, account({ env: { PATH: path } })));
    const { code, said } = await reach(port, patience, { user: "ubuntu" });
    expect(said).toBe(
      `Root: 127.0.0.1 port ${port} refused to work for user ubuntu: sudo: a password is required. The user must be root, or be allowed to \`sudo -n\` everything.`,
    );
    expect(code).toBe(1);
  });

  it.each<[string, Answer, string]>([
    ["has no shell", ends(1, "This account is currently not available.\n"), "This account is currently not available."],
    [
      "runs another command than ours, and says it was fine",
      ends(0, "Please login as ubuntu\n"),
      "Please login as ubuntu",
    ],
    ["says nothing", ends(0), "exit code 0"],
    ["starts another shell first", account({ startup: "exec sh -s" }), "exit code 0"],
  ])("an account that %s", async (_what, answer, words) => {
    const port = await open(sshHost(host.private, login.private, answer));
    const { code, said } = await reach(port, patience);
    expect(said).toBe(
      `Shell: 127.0.0.1 port ${port} let user root in, but ran no command there: ${words}. Its login shell, its start-up files or a forced command must let \`ssh root@127.0.0.1 true\` through.`,
    );
    expect(code).toBe(1);
  });

  it("a command that fails, in its own words, or by its exit code", async () => {
    const port = await open(sshHost(host.private, login.private, account({ startup: "echo Welcome; stty -echo" })));
    const failing = await reach(port, patience, { command: "echo out; echo 'cloudcode: no' >&2; exit 3" });
    expect([failing.code, failing.said]).toEqual([1, "out\ncloudcode: no"]);
    expect((await reach(port, patience, { command: "exit 127" })).said).toBe("exit code 127");
  });
});

describe("a connection that breaks while the command runs", () => {
  it("is reported as such", async () => {
    const cut: Answer = (command, channel) => {
      account()(command, channel);
      setTimeout(() => channel.end(), 1000);
    };
    const port = await open(sshHost(host.private, login.private, cut));
    const { code, said } = await reach(port, 3600, { command: "echo begun; sleep 5" });
    expect(said).toBe(
      `127.0.0.1 port ${port} lost the connection while the command was running; it continues there: begun`,
    );
    expect(code).toBe(1);
  });
});

describe("a command that takes longer than it may", () => {
  it("is ended with all that it started, after it was asked to put things back, and says so", async () => {
    const port = await open(sshHost(host.private, login.private, account()));
    const command = "trap 'echo asked' TERM; sleep 7654 & sleep 7654; echo back";
    const { code, said, seconds } = await reach(port, 10, { command, limit: { seconds: 2, graceSeconds: 3 } });
    expect(said).toContain("asked\nback");
    expect(said).toContain("cloudcode: this took longer than 2 s on the machine and was ended");
    expect(code).toBe(1);
    expect(seconds).toBeLessThan(10);
    expect(commandLines()).not.toContain("sleep 7654");
  });
});

describe("a removal that fails", () => {
  it("ends with how to forget the stack of a machine that is gone, in words a shell can take", async () => {
    const urn = "urn:pulumi:prod::cloudcode::cloudcode:index:ComposeStack$command:local:Command::opencode-removal";
    const port = await closedPort();
    const { code, said } = await reach(port, 1, { command: "cloudcode-host remove", urn });
    expect(said).toMatch(/^TCP: 127\.0\.0\.1 port \d+ accepted no connection within 1 s \(ECONNREFUSED\)\./);
    expect(said).toContain(
      ` If that machine no longer exists, \`pulumi state delete '${urn}'\` removes this stack of it from the state, \`pulumi state delete --all --force\` removes everything.`,
    );
    expect(code).toBe(1);
  });

  it("never shows the login key", async () => {
    const port = await open(sshHost(host.private, keyPair().private, ends(0)));
    const { said } = await reach(port, 5, { urn: "urn" });
    for (const line of login.private.split("\n").filter((each) => each.length > 10)) expect(said).not.toContain(line);
  });
});

/** Of all processes of this machine. */
function commandLines(): string[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      return /^[0-9]+$/.test(entry)
        ? [readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim()]
        : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}
