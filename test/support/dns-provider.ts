// A stand-in for a DNS provider: its API for the stand-in of Caddy's modules, and its name server.
import { type Socket as UdpSocket, createSocket } from "node:dgram";
import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { type Server as StreamServer, createServer as createStreams } from "node:net";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";

const callSchema = z.object({
  provider: z.string(),
  credentials: z.record(z.string(), z.string()),
  zone: z.string(),
  name: z.string(),
  type: z.literal("TXT"),
  data: z.string(),
});

export type ProviderCall = z.infer<typeof callSchema> & { readonly verb: string };

const [txt, soa, nxDomain] = [16, 6, 3];

/** One zone, which takes records from who shows the right credentials, and answers for them by UDP and TCP. */
export class DnsProvider {
  /** What was asked, in its order. */
  readonly calls: ProviderCall[] = [];
  readonly #texts = new Map<string, Set<string>>();
  #api: Server | undefined;
  #names: UdpSocket | undefined;
  #streams: StreamServer | undefined;
  #apiPort = 0;
  #namesPort = 0;

  /** @param zone without a dot at its end */
  private constructor(
    private readonly zone: string,
    private readonly credentials: Readonly<Record<string, string>>,
  ) {}

  static async start(zone: string, credentials: Readonly<Record<string, string>>): Promise<DnsProvider> {
    const provider = new DnsProvider(zone, credentials);
    await provider.#start();
    return provider;
  }

  /** Where Caddy's module finds the API. */
  get environment(): Readonly<Record<string, string>> {
    return { CLOUDCODE_DNS_STAND_IN: `http://127.0.0.1:${this.#apiPort}` };
  }

  /** Address and port of the name server. */
  get nameServer(): string {
    return `127.0.0.1:${this.#namesPort}`;
  }

  stop(): void {
    this.#api?.close();
    this.#names?.close();
    this.#streams?.close();
  }

  async #start(): Promise<void> {
    this.#api = createServer((asked, answer) => void this.#answer(asked, answer));
    this.#apiPort = await listen(this.#api);
    const socket = createSocket("udp4");
    socket.on("message", (query, { port, address }) => {
      socket.send(this.#reply(query), port, address);
    });
    this.#namesPort = await freePort();
    await new Promise<void>((resolve) => socket.bind(this.#namesPort, "127.0.0.1", resolve));
    this.#names = socket;
    // Pebble asks by TCP, where each message has its length before it.
    this.#streams = createStreams((stream) => {
      stream.on("error", () => undefined);
      stream.on("data", (query) => {
        const reply = this.#reply(query.subarray(2));
        stream.write(Buffer.from([reply.length >> 8, reply.length & 255]));
        stream.write(reply);
      });
    });
    this.#streams.listen(this.#namesPort, "127.0.0.1");
    await once(this.#streams, "listening");
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const verb = (asked.url ?? "").slice(1);
    const call = callSchema.parse(JSON.parse(await text(asked)));
    this.calls.push({ verb, ...call });
    if (JSON.stringify(call.credentials) !== JSON.stringify(this.credentials) || call.zone !== `${this.zone}.`) {
      answer.writeHead(403).end("no right to this zone");
      return;
    }
    const values = this.#texts.get(call.name.toLowerCase()) ?? new Set();
    if (verb === "append") values.add(call.data);
    else values.delete(call.data);
    this.#texts.set(call.name.toLowerCase(), values);
    answer.end();
  }

  /** One message of RFC 1035; queries have one question, whose name is not compressed. */
  #reply(query: Buffer): Buffer {
    const labels: string[] = [];
    let place = 12;
    for (let length = query.readUInt8(place); length > 0; length = query.readUInt8(place)) {
      labels.push(query.toString("latin1", place + 1, place + 1 + length));
      place += 1 + length;
    }
    const type = query.readUInt16BE(place + 1);
    const question = query.subarray(12, place + 5);
    const name = `${labels.join(".").toLowerCase()}.`;
    const answers =
      type === txt
        ? [...(this.#texts.get(name) ?? [])].map((value) => Buffer.from([value.length, ...Buffer.from(value)]))
        : type === soa && name === `${this.zone}.`
          ? [Buffer.concat([Buffer.from([0, 0]), Buffer.alloc(20, 1)])]
          : [];
    const inZone = name === `${this.zone}.` || name.endsWith(`.${this.zone}.`);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    // An authoritative answer, with recursion.
    head.writeUInt16BE(0x8580 | (inZone ? 0 : nxDomain), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    const records = answers.map((data) => {
      const record = Buffer.alloc(12);
      // The question's name.
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    return Buffer.concat([head, question, ...records]);
  }
}
