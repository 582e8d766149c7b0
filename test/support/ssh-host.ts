import { spawn } from "node:child_process";
import { type Server as NetServer, type Socket, createServer } from "node:net";
import { type Connection, Server, type ServerChannel, utils } from "ssh2";

/** What a server in this process is reached by. */
export interface Listening {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** What a command of a client says and ends with; a shell's is empty. */
export type Answer = (command: string, channel: ServerChannel) => void;

/** How an account of a machine is. */
export interface Account {
  /** Login shell. @default sh */
  readonly shell?: string;
  /** Run by the shell before the command, as its start-up files are. @default nothing */
  readonly startup?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Hands each command to a login shell on this machine, as sshd does. */
export function account({ shell = "sh", startup, env = {} }: Account = {}): Answer {
  return (command, channel) => {
    const child = spawn(shell, ["-c", startup === undefined ? command : `${startup}\n${command}`], {
      cwd: "/",
      env: { PATH: process.env["PATH"], SSH_CONNECTION: "192.0.2.1 50000 192.0.2.2 22", ...env },
    });
    child.stdin.on("error", () => undefined);
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.once("close", (code) => {
      channel.exit(code ?? 1);
      channel.end();
    });
  };
}

/** An SSH server that lets one key in, as every user, and answers commands as the test says. Its end cuts what is still connected. */
export async function sshHost(
  hostKey: string,
  loginKey: string,
  answer: Answer,
  port = 0,
  address = "127.0.0.1",
): Promise<Listening> {
  const connections = new Set<Connection>();
  const server = new Server({ hostKeys: [hostKey] }, (connection) => {
    connections.add(connection);
    connection.on("close", () => connections.delete(connection));
    connection.on("error", () => undefined);
    connection.on("authentication", (attempt) => {
      const known = utils.parseKey(loginKey);
      const mine =
        attempt.method === "publickey" && !(known instanceof Error) && attempt.key.data.equals(known.getPublicSSH());
      if (mine) attempt.accept();
      else attempt.reject(["publickey"]);
    });
    connection.on("session", (accept) => {
      const channels = accept();
      channels.on("shell", (acceptShell) => {
        answer("", acceptShell());
      });
      channels.on("exec", (acceptCommand, _reject, { command }) => {
        answer(command, acceptCommand());
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
  return {
    port: portOf(server.address()),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const connection of connections) connection.end();
      }),
  };
}

/** A server that is no SSH server, and serves each connection as the test says. */
export async function plainServer(serve: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server: NetServer = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => {
        resolve();
      });
    });
  return { port: portOf(server.address()), stop };
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = await plainServer(() => undefined);
  await server.stop();
  return server.port;
}

function portOf(address: ReturnType<NetServer["address"]>): number {
  if (typeof address !== "object" || address === null) throw new Error("the server listens on no port");
  return address.port;
}
