import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { reachCommand } from "../../components/host/reach-command";
import { keyPair } from "../support/keys";
import { projectRoot } from "../support/program";
import { type Answer, type Listening, closedPort, plainServer, sshHost } from "../support/ssh-host";

const login = keyPair();
const host = keyPair();

const ends =
  (code: number, words = ""): Answer =>
  (_command, channel) => {
    channel.stderr.write(words);
    channel.exit(code);
    channel.end();
  };

interface Run {
  readonly code: number | null;
  readonly said: string;
  readonly seconds: number;
}

/** Runs what the program gives Pulumi to run: the command line, in the project's folder, the connection on its input. */
async function reach(
  port: number,
  seconds: number,
  rest: { hostKey?: string; privateKey?: string; command?: string; urn?: string } = {},
): Promise<Run> {
  const { hostKey = host.public, privateKey = login.private, command = "true", urn } = rest;
  const begin = Date.now();
  const child = spawn("/bin/sh", ["-c", reachCommand(command, urn)], {
    cwd: projectRoot,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(JSON.stringify({ address: "127.0.0.1", port, user: "ubuntu", privateKey, hostKey, seconds }));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, said: `${stdout}${stderr}`.trim(), seconds: (Date.now() - begin) / 1000 };
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
  it("is reached, and the command that proves it is the one that was asked for", async () => {
    const commands: string[] = [];
    const port = await open(
      sshHost(host.private, login.private, (command, channel) => {
        commands.push(command);
        ends(0)(command, channel);
      }),
    );
    expect(await reach(port, 10, { command: "sudo -n /opt/x 'a b'" })).toMatchObject({ code: 0, said: "" });
    expect(commands).toEqual(["sudo -n /opt/x 'a b'"]);
  });

  it("is waited for while it boots", async () => {
    const port = await closedPort();
    const reached = reach(port, 30);
    await sleep(2500);
    await open(sshHost(host.private, login.private, ends(0), port));
    expect(await reached).toMatchObject({ code: 0, said: "" });
  });

  it("may have a host key of another type", async () => {
    const ecdsa = keyPair("ecdsa");
    const port = await open(sshHost(ecdsa.private, login.private, ends(0)));
    expect(await reach(port, 10, { hostKey: ecdsa.public })).toMatchObject({ code: 0, said: "" });
  });
});

describe("a host that does not answer in time is told by how far it came", () => {
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

describe("what time cannot heal is told at once", () => {
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
      `Authentication: 127.0.0.1 port ${port} refused the key for user ubuntu (All configured authentication methods failed). Is the public half in ~ubuntu/.ssh/authorized_keys?`,
    );
    expect(code).toBe(1);
  });

  it("a command that fails, in its own words", async () => {
    const port = await open(sshHost(host.private, login.private, ends(1, "sudo: a password is required\n")));
    const { code, said } = await reach(port, patience);
    expect(said).toBe(`127.0.0.1 port ${port} refused to work for user ubuntu: sudo: a password is required`);
    expect(code).toBe(1);
  });

  it("a command that fails without a word, by its exit code", async () => {
    const port = await open(sshHost(host.private, login.private, ends(127)));
    expect((await reach(port, patience)).said).toBe(
      `127.0.0.1 port ${port} refused to work for user ubuntu: exit code 127`,
    );
  });
});

describe("a connection that breaks while the command runs", () => {
  it("is told as such", async () => {
    const port = await open(sshHost(host.private, login.private, (_command, channel) => channel.end()));
    const { code, said } = await reach(port, 3600);
    expect(said).toBe(`127.0.0.1 port ${port} refused to work for user ubuntu: the command did not come to its end`);
    expect(code).toBe(1);
  });
});

describe("a removal that fails", () => {
  it("ends with how to forget the stack of a machine that is gone, in words a shell can take", async () => {
    const urn = "urn:pulumi:prod::cloudcode::cloudcode:index:ComposeStack$command:local:Command::opencode-removal";
    const port = await closedPort();
    const { code, said } = await reach(port, 1, { command: "cloudcode-host remove", urn });
    expect(said).toMatch(/^TCP: 127\.0\.0\.1 port \d+ accepted no connection within 1 s \(ECONNREFUSED\)\./);
    expect(said).toContain(
      ` If that machine is gone for good, \`pulumi state delete '${urn}'\` forgets this stack of it, \`pulumi state delete --all --force\` everything.`,
    );
    expect(code).toBe(1);
  });

  it("never shows the login key", async () => {
    const port = await open(sshHost(host.private, keyPair().private, ends(0)));
    const { said } = await reach(port, 5, { urn: "urn" });
    for (const line of login.private.split("\n").filter((each) => each.length > 10)) expect(said).not.toContain(line);
  });
});
