/** Run by `npm run dns -- DOMAIN ADDRESS`: waits until a domain and every name below it point to the host. */
import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type LookUp, namesSeen, systemLookUp, verdict } from "../cli/names-seen";
import { cookieDomain } from "../components/settings/checks";

const usage = "usage: npm run dns -- DOMAIN IPV4-ADDRESS [--seconds N]";

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
