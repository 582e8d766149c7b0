import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";

const types = { A: 1, notFound: 3 };

/** A DNS server that knows these names alone, all at one address. What else it is asked for does not exist, and is remembered. */
export class NameServer {
  readonly #strays = new Set<string>();

  private constructor(
    private readonly socket: Socket,
    private readonly names: readonly string[],
    private readonly target: string,
  ) {
    socket.on("message", (query, { port, address }) => {
      socket.send(this.#answer(query), port, address);
    });
  }

  /** @param address where it listens, at port 53, and what the names lead to */
  static async start(address: string, names: readonly string[]): Promise<NameServer> {
    const socket = createSocket("udp4");
    socket.bind(53, address);
    await once(socket, "listening");
    return new NameServer(socket, names, address);
  }

  /** Names that it was asked for and does not know. */
  get strays(): readonly string[] {
    return [...this.#strays].sort();
  }

  stop(): void {
    this.socket.close();
  }

  /** RFC 1035, 4.1: header, the question as it came, one record. */
  #answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const isAddress = query.readUInt16BE(at + 1) === types.A;
    const name = labels.join(".");
    const isKnown = this.names.includes(name);
    // A name of this house, as Docker has them, is nobody's to answer; nor is a service of a known name, for which apt asks.
    const isStray = labels.length > 1 && !this.names.some((known) => name === known || name.endsWith(`.${known}`));
    if (isStray) this.#strays.add(name);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (isKnown ? 0 : types.notFound), 2);
    header.writeUInt16BE(1, 4);
    if (!isKnown || !isAddress) return Buffer.concat([header, question]);
    header.writeUInt16BE(1, 6);
    const record = Buffer.from([0xc0, 12, 0, types.A, 0, 1, 0, 0, 0, 60, 0, 4, ...this.target.split(".").map(Number)]);
    return Buffer.concat([header, question, record]);
  }
}
