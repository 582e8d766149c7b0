import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { createServer } from "node:https";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isIPv4, isIPv6 } from "node:net";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";

export const duckToken = "01234567-89ab-cdef-0123-456789abcdef";
export const desecToken = "4pnk7u-NHvrEkFzrhFDRTjGFyX_S";

interface Rrset {
  readonly subname: string;
  readonly type: string;
  readonly ttl: number;
  readonly records: readonly string[];
}

const change = z.strictObject({
  subname: z.string(),
  type: z.enum(["A", "AAAA", "CNAME"]),
  ttl: z.number().int().min(3600).max(86_400),
  records: z.array(z.string()),
});

/**
 * DuckDNS (https://www.duckdns.org/spec.jsp) and deSEC (https://desec.readthedocs.io/en/latest/dns/rrsets.html) at their own
 * names, as strict as they are documented, with an account that has `home` at both.
 */
export class NameProviders {
  readonly names = ["www.duckdns.org", "desec.io", "checkipv4.dedyn.io"] as const;
  readonly tls = selfSigned(this.names);
  port = 0;
  /** What DuckDNS has of the name. */
  duck = { ipv4: "", ipv6: "" };
  /** What deSEC has. */
  rrsets: Rrset[] = [];
  /** The address that requests come from. */
  seen = "198.51.100.77";
  /** Answers of trouble that come before all others. */
  trouble: { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }[] = [];
  /** Host, method, path; without what authenticates. */
  readonly asked: string[] = [];
  #server: Server | undefined;

  static async start(address = "127.0.0.1"): Promise<NameProviders> {
    const providers = new NameProviders();
    const { key, certificate: cert } = providers.tls;
    const server = createServer({ key, cert }, (asked, answer) => void providers.#answer(asked, answer));
    providers.#server = server;
    providers.port = await listen(server, address);
    return providers;
  }

  stop(): void {
    this.#server?.close();
  }

  /** deSEC's records, as `subname type record…`. */
  get zone(): string[] {
    return this.rrsets.map(({ subname, type, records }) => [subname || "@", type, ...records].join(" ")).sort();
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { host = "" } = asked.headers;
    const url = new URL(asked.url ?? "/", `https://${host}`);
    const body = await text(asked);
    const shown = new URL(url);
    shown.searchParams.delete("token");
    this.asked.push(`${asked.method ?? ""} ${shown.host}${shown.pathname}${decodeURIComponent(shown.search)}`);
    const trouble = this.trouble.shift();
    if (trouble) answer.writeHead(trouble.status, trouble.headers).end(trouble.body);
    else if (url.hostname === "www.duckdns.org" && url.pathname === "/update") answer.end(this.#duckdns(url));
    else if (url.hostname === "checkipv4.dedyn.io") answer.end(this.seen);
    else if (url.hostname === "desec.io") this.#desec(asked, url, body, answer);
    else answer.writeHead(404).end();
  }

  #duckdns({ searchParams: query }: URL): string {
    const known = ["domains", "token", "ip", "ipv6", "verbose", "clear"];
    if (query.get("domains") !== "home" || query.get("token") !== duckToken) return "KO";
    if ([...query.keys()].some((key) => !known.includes(key))) return "KO";
    const [ip, ipv6] = [query.get("ip"), query.get("ipv6")];
    if ((ip && !isIPv4(ip)) || (ipv6 && !isIPv6(ipv6))) return "KO";
    const before = JSON.stringify(this.duck);
    if (query.get("clear") === "true") this.duck = { ipv4: "", ipv6: "" };
    else
      this.duck = {
        // Found out unless an address of either kind is given.
        ipv4: ip ?? (ipv6 === null ? this.seen : this.duck.ipv4),
        ipv6: ipv6 ?? this.duck.ipv6,
      };
    const word = JSON.stringify(this.duck) === before ? "NOCHANGE" : "UPDATED";
    return query.get("verbose") === "true" ? ["OK", this.duck.ipv4, this.duck.ipv6, word].join("\n") : "OK";
  }

  #desec(asked: IncomingMessage, url: URL, body: string, answer: ServerResponse): void {
    const json = (status: number, value: unknown) =>
      answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (asked.headers.authorization !== `Token ${desecToken}`) json(401, { detail: "Invalid token." });
    else if (url.pathname !== "/api/v1/domains/home.dedyn.io/rrsets/") json(404, { detail: "Not found." });
    else if (asked.method === "GET") {
      const type = url.searchParams.get("type");
      json(
        200,
        this.rrsets.filter((rrset) => type === null || rrset.type === type),
      );
    } else if (asked.method === "PATCH" && asked.headers["content-type"] === "application/json") {
      const read = z.array(change).safeParse(JSON.parse(body));
      const faults = read.data?.map((rrset) => this.#fault(rrset)) ?? [{ non_field_errors: [read.error?.message] }];
      if (faults.some((fault) => Object.keys(fault).length > 0)) {
        json(400, faults);
        return;
      }
      for (const rrset of read.data ?? []) {
        this.rrsets = this.rrsets.filter(({ subname, type }) => subname !== rrset.subname || type !== rrset.type);
        if (rrset.records.length > 0) this.rrsets.push(rrset);
      }
      json(200, read.data);
    } else json(405, { detail: "Method not allowed." });
  }

  #fault({ subname, type, records }: Rrset): object {
    if (subname === "@")
      return { subname: ["Subname can only use (lowercase) a-z, 0-9, ., -, and _, may start with a '*.'"] };
    const isRight = type === "A" ? isIPv4 : isIPv6;
    if (!records.every(isRight)) return { records: [`Record content of type ${type} malformed.`] };
    const alias = this.rrsets.some((other) => other.subname === subname && other.type === "CNAME");
    return alias ? { non_field_errors: ["RRset with conflicting type present: CNAME."] } : {};
  }
}
