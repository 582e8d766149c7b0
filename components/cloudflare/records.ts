import { isIP } from "node:net";
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

export interface CloudflareRecordsArgs {
  /** The domain, whose subdomains get records too. */
  readonly domain: string;
  /** Id of the zone that holds it. */
  readonly zoneId: pulumi.Input<string>;
  /** API token; a secret. */
  readonly apiToken: pulumi.Input<string>;
  /** Says of each record whose it is. */
  readonly comment: string;
  /** What the names point to, an IP address or a name, and an IPv6 address next to it, if there is one. */
  readonly addresses: { readonly first: pulumi.Input<string>; readonly ipv6?: pulumi.Input<string> };
}

/**
 * The records of the domain and of everything below it, in a zone at Cloudflare. Not proxied: the host has certificates of its own, and
 * sees the addresses of its visitors.
 */
export class CloudflareRecords extends pulumi.ComponentResource {
  readonly records: readonly pulumi.Resource[];

  constructor(
    name: string,
    { domain, zoneId, apiToken, comment, addresses }: CloudflareRecordsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("cloudcode:index:CloudflareRecords", name, {}, opts);
    const provider = new cloudflare.Provider(`${name}-provider`, { apiToken }, { parent: this });
    const places = [
      ["apex", domain],
      ["wildcard", `*.${domain}`],
    ] as const;
    const values = [["", addresses.first] as const, ...(addresses.ipv6 ? [["-ipv6", addresses.ipv6] as const] : [])];
    this.records = places.flatMap(([place, host]) =>
      values.map(
        ([suffix, content]) =>
          new cloudflare.DnsRecord(
            `${name}-${place}${suffix}`,
            {
              zoneId,
              name: host,
              content,
              comment,
              proxied: false,
              type: pulumi.output(content).apply(recordType),
              // Automatic: 300 seconds.
              ttl: 1,
            },
            { parent: this, provider },
          ),
      ),
    );
    this.registerOutputs();
  }
}

/** Type of the record that leads to an address, or to another name. */
export function recordType(content: string): "A" | "AAAA" | "CNAME" {
  const family = isIP(content);
  if (family === 0) return "CNAME";
  return family === 4 ? "A" : "AAAA";
}
