import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import type { Connection, ServerChannel } from "ssh2";
import { Server } from "ssh2";
import { newKeyPair } from "../../sandbox/host/keys";

/** An SSH server in this process that runs what it is asked to, and remembers who came for what. */
export interface SshServer {
  readonly port: number;
  readonly hostKey: string;
  readonly clientKey: string;
  /** Commands in the order they were asked for. */
  readonly commands: string[];
  /** Names of the variables clients tried to set; all are refused, as by an ordinary sshd. */
  readonly refusedVariables: string[];
  connections(): number;
  open(): number;
  /** Cuts all connections, as a reboot would. */
  cut(): void;
  stop(): Promise<void>;
}

function runFor(channel: ServerChannel, command: string): void {
  const child = spawn("/bin/sh", ["-c", command]);
  channel.pipe(child.stdin);
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (data: Buffer) => channel.write(data));
  child.stderr.on("data", (data: Buffer) => channel.stderr.write(data));
  child.on("close", (code, signal) => {
    if (signal === null) channel.exit(code ?? 0);
    else channel.exit(signal.replace("SIG", ""));
    channel.end();
  });
  channel.on("close", () => child.kill("SIGKILL"));
}

/** Starts the server on a free port. */
export async function startSshServer(): Promise<SshServer> {
  const host = newKeyPair();
  const client = newKeyPair();
  const allowed = Buffer.from(client.publicKey.split(" ")[1] ?? "", "base64");
  const commands: string[] = [];
  const refusedVariables: string[] = [];
  const all: Connection[] = [];
  const alive = new Set<Connection>();

  const server = new Server({ hostKeys: [host.privateKey] }, (connection) => {
    all.push(connection);
    alive.add(connection);
    connection.on("error", () => undefined);
    connection.on("close", () => alive.delete(connection));
    connection.on("authentication", (attempt) => {
      if (attempt.method === "publickey" && allowed.equals(attempt.key.data)) attempt.accept();
      else attempt.reject(["publickey"]);
    });
    connection.on("session", (acceptSession) => {
      const session = acceptSession();
      session.on("env", (_accept, reject, { key }) => {
        refusedVariables.push(key);
        reject();
      });
      session.on("exec", (accept, _reject, { command }) => {
        commands.push(command);
        runFor(accept(), command);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address: AddressInfo | string | null = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    hostKey: host.publicKey,
    clientKey: client.privateKey,
    commands,
    refusedVariables,
    connections: () => all.length,
    open: () => alive.size,
    cut: () => {
      for (const connection of alive) connection.end();
    },
    stop: () =>
      new Promise((resolve) =>
        server.close(() => {
          resolve();
        }),
      ),
  };
}
