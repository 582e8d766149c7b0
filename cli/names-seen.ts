import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";

/** What the DNS says of one name. */
export interface Seen {
  /** The name, or `*.DOMAIN` for any below it. */
  readonly name: string;
  /** All IPv4 addresses; none: there is no such name, or it has no address. */
  readonly addresses: readonly string[];
  /** Why nothing is known of it: the code of https://nodejs.org/api/dns.html#error-codes */
  readonly fault?: string;
}

/** Whether every name has the one address, and what each has. A second address would fail half of all visits. */
export function verdict(address: string, seen: readonly Seen[]): { readonly done: boolean; readonly sentence: string } {
  const isRight = ({ addresses }: Seen) => addresses.length === 1 && addresses[0] === address;
  const done = seen.every(isRight);
  const names = seen.map(({ name }) => name).join(" and ");
  if (done) return { done, sentence: `${names} point to ${address}` };
  return { done, sentence: seen.map((one) => (isRight(one) ? `${one.name} is right` : faultOf(one))).join("; ") };
}

function faultOf({ name, addresses, fault }: Seen): string {
  if (fault !== undefined) return `the DNS server did not answer for ${name} (${fault})`;
  return addresses.length === 0 ? `${name} has no address` : `${name} points to ${addresses.join(" and ")}`;
}

/** The IPv4 addresses of a name; throws what the resolver of Node throws. */
export type LookUp = (name: string) => Promise<readonly string[]>;

/** What the DNS says of a domain and of any name below it. */
export async function namesSeen(domain: string, lookUp = systemLookUp()): Promise<readonly Seen[]> {
  // Another name each time: a resolver remembers for a while that one was not there.
  const below = `check-${randomBytes(4).toString("hex")}.${domain}`;
  return Promise.all([seenAs(domain, domain, lookUp), seenAs(`*.${domain}`, below, lookUp)]);
}

export function systemLookUp(): LookUp {
  const resolver = new Resolver({ timeout: 5000, tries: 2 });
  return (asked) => resolver.resolve4(asked);
}

async function seenAs(name: string, asked: string, lookUp: LookUp): Promise<Seen> {
  try {
    return { name, addresses: await lookUp(asked) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { name, addresses: [], ...(code !== "ENOTFOUND" && code !== "ENODATA" && { fault: code }) };
  }
}
