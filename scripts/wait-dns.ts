/** Run by `npm run dns -- DOMAIN ADDRESS`: waits until a domain and every name below it point to the host. */
import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { cookieDomain } from "../components/settings/checks";

const usage = "usage: npm run dns -- DOMAIN IPV4-ADDRESS [--seconds N]";

/** What the DNS says of one name. */
export interface Seen {
  /** The name, or `*.DOMAIN` for any below it. */
  readonly name: string;
  /** All IPv4 addresses; none: there is no such name, or it has no address. */
  readonly addresses: readonly string[];
  /** Why nothing is known of it: the code of https://nodejs.org/api/dns.html#error-codes */
  readonly fault?: string;
}

/** Whether every name has the one address, and what each has. Another address beside it would fail half of all visits. */
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

export interface WaitTools {
  readonly lookUp: LookUp;
  readonly say: (line: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

const pauseMs = 5000;

/** Waits for `seconds` at most and tells every change meanwhile; whether the names are right in the end. */
export async function waitForNames(
  { domain, address, seconds }: { readonly domain: string; readonly address: string; readonly seconds: number },
  tools: WaitTools,
): Promise<boolean> {
  const deadline = tools.now() + seconds * 1000;
  for (let said = ""; ;) {
    const seen = await namesSeen(domain, tools.lookUp);
    const { done, sentence } = verdict(address, seen);
    if (done) {
      tools.say(`${sentence}.`);
      return true;
    }
    if (tools.now() + pauseMs > deadline) {
      tools.say(
        `Not so after ${seconds} seconds: ${sentence}; wanted is ${address}. Make the two A records where ${domain} has its DNS, then run this again.`,
      );
      return false;
    }
    if (sentence !== said) tools.say(`Waiting: ${sentence}`);
    said = sentence;
    await tools.pause(pauseMs);
  }
}

/** What the DNS says of a domain and of any name below it. */
export async function namesSeen(domain: string, lookUp = systemLookUp()): Promise<readonly Seen[]> {
  // Another name each time: a resolver remembers for a while that one was not there.
  const below = `check-${randomBytes(4).toString("hex")}.${domain}`;
  return Promise.all([seenAs(domain, domain, lookUp), seenAs(`*.${domain}`, below, lookUp)]);
}

function systemLookUp(): LookUp {
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

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seconds: { type: "string", default: "600" } },
  });
  const [name = "", address = "", ...rest] = positionals;
  const domain = cookieDomain.safeParse(name);
  if (!domain.success || !isIPv4(address) || !/^\d+$/.test(values.seconds) || rest.length > 0) throw new Error(usage);
  const tools: WaitTools = {
    lookUp: systemLookUp(),
    say: (line) => {
      console.log(line);
    },
    now: Date.now,
    pause: sleep,
  };
  const seconds = Number(values.seconds);
  if (!(await waitForNames({ domain: domain.data, address, seconds }, tools))) process.exitCode = 1;
}

if (require.main === module)
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  });
