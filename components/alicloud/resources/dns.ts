import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { explained } from "./fault-hook";

/** Where a name stands in Alibaba Cloud DNS. */
export interface ZoneEntry {
  readonly zone: string;
  /** Host records of the domain and of everything below it, relative to the zone. */
  readonly records: readonly [string, string];
}

/** The longest zone that holds the domain; the domain itself may be one. Undefined: none does. */
export function zoneEntry(domain: string, zones: readonly string[]): ZoneEntry | undefined {
  const holding = zones.filter((zone) => domain === zone || domain.endsWith(`.${zone}`));
  const zone = holding.sort((a, b) => b.length - a.length)[0];
  if (zone === undefined) return undefined;
  if (domain === zone) return { zone, records: ["@", "*"] };
  const host = domain.slice(0, -zone.length - 1);
  return { zone, records: [host, `*.${host}`] };
}

/**
 * Asks Alibaba Cloud DNS which of the account's zones holds the domain.
 *
 * @throws OperatorError with one sentence, since it is the first call of a run and meets a wrong access key
 */
export async function findZone(domain: string, provider: pulumi.ProviderResource): Promise<ZoneEntry | undefined> {
  const { domains } = await alicloud.dns.getAlidnsDomains({}, { provider }).catch(explained);
  return zoneEntry(
    domain,
    domains.map(({ domainName }) => domainName),
  );
}

export interface DnsRecordsArgs {
  /** Zone and host records. */
  readonly entry: ZoneEntry;
  /** What the records of each type point to. */
  readonly addresses: { readonly A: pulumi.Input<string>; readonly AAAA?: pulumi.Input<string> };
  /** Options of each resource: error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** Life of a record in resolvers, in seconds: the least the free plan allows. */
const ttl = 600;

/** The records of the domain and of everything below it. */
export class DnsRecords extends pulumi.ComponentResource {
  constructor(
    name: string,
    { entry, addresses, resourceOptions }: DnsRecordsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("cloudcode:index:DnsRecords", name, {}, opts);
    for (const [type, value] of Object.entries(addresses))
      for (const [index, rr] of entry.records.entries())
        new alicloud.dns.AlidnsRecord(
          `${name}-${type.toLowerCase()}-${index === 0 ? "apex" : "wildcard"}`,
          { domainName: entry.zone, rr, type, value, ttl },
          { ...resourceOptions, parent: this },
        );
    this.registerOutputs();
  }
}
