import { type Server, type Socket, createServer } from "node:net";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { until } from "../../cli/run";

/** A call of MTProto without a key (https://core.telegram.org/mtproto/auth_key). */
export interface Call {
  /** `address:port` that the proxy was asked for. */
  readonly to: string;
  /** Number of its constructor, in hexadecimal. */
  readonly what: string;
}

const reqPqMulti = "be7e8ef1";

/**
 * A SOCKS5 proxy with a login, and Telegram behind it: it takes the first call of a login, and hangs up, because nobody but Telegram has the
 * key of the answer.
 */
export class Telegram {
  readonly calls: Call[] = [];
  refused = 0;
  port = 0;
  private server: Server | undefined;

  constructor(
    private readonly username: string,
    private readonly password: string,
  ) {}

  async open(): Promise<void> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      void this.serve(socket).catch(() => {
        this.refused++;
        socket.destroy();
      });
    });
    this.server = server;
    this.port = await listen(server);
  }

  close(): void {
    this.server?.close();
  }

  /** The first call that arrives, in at most half a minute. */
  first(): Promise<Call> {
    return until(
      30,
      () => Promise.resolve(this.calls[0]),
      () => Promise.resolve(`no call; ${this.refused} connections were refused`),
    );
  }

  private async serve(socket: Socket): Promise<void> {
    const read = reader(socket);
    const [, methods = 0] = await read(2);
    if (!(await read(methods)).includes(2)) throw new Error("no login is offered");
    socket.write(Buffer.of(5, 2));
    const word = async () => (await read((await read(1))[0] ?? 0)).toString();
    await read(1);
    const [username, password] = [await word(), await word()];
    const known = username === this.username && password === this.password;
    socket.write(Buffer.of(1, known ? 0 : 1));
    if (!known) throw new Error("another login");
    const [, , , kind] = await read(4);
    const address = kind === 3 ? await word() : [...(await read(kind === 4 ? 16 : 4))].join(".");
    const to = `${address}:${(await read(2)).readUInt16BE()}`;
    socket.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    // The transport "abridged" announces itself, then the length in words of four bytes; no key yet, number and length of the message.
    const [transport, words = 0] = await read(2);
    const message = await read(words * 4);
    const what = message.readUInt32LE(20).toString(16);
    if (transport !== 0xef || message.readBigUInt64LE() !== 0n || what !== reqPqMulti)
      throw new Error(`no call of MTProto: ${message.toString("hex")}`);
    this.calls.push({ to, what });
    socket.end();
  }
}

/** Reads so many bytes, whatever pieces they arrive in. */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  let kept = Buffer.alloc(0);
  const pieces: AsyncIterator<Buffer, undefined> = socket[Symbol.asyncIterator]();
  return async (length) => {
    while (kept.length < length) {
      const piece = await pieces.next();
      if (piece.done === true) throw new Error("the connection ended");
      kept = Buffer.concat([kept, piece.value]);
    }
    const taken = kept.subarray(0, length);
    kept = kept.subarray(length);
    return taken;
  };
}
