/** Run by `npm run dns -- DOMAIN ADDRESS`: waits until a domain and every name below it point to the host. */
import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type LookUp, namesSeen, systemLookUp, verdict } from "../cli/names-seen";
import { type Clock, poll } from "../components/poll";
import { cookieDomain } from "../components/settings/checks";

const usage = "usage: npm run dns -- DOMAIN IPV4-ADDRESS [--seconds N]";

export interface WaitTools extends Clock {
  readonly lookUp: LookUp;
  readonly say: (line: string) => void;
}

const pauseMs = 5000;

/**
 * Waits for at most `seconds` and reports every change meanwhile.
 *
 * @returns what is seen once the names are right
 * @throws Error with what is wrong in the end
 */
export function waitForNames(
  { domain, address, seconds }: { readonly domain: string; readonly address: string; readonly seconds: number },
  tools: WaitTools,
): Promise<string> {
  let said = "";
  return poll({ boundMs: seconds * 1000 - pauseMs, pauseMs, clock: tools }, async () => {
    const seen = await namesSeen(domain, tools.lookUp);
    const { done, sentence } = verdict(address, seen);
    if (done) return { done: `${sentence}.` };
    if (sentence !== said) tools.say(`Waiting: ${sentence}`);
    said = sentence;
    return {
      late: new Error(
        `Not correct after ${seconds} seconds: ${sentence}; expected: ${address}. Create the two A records at the DNS provider of ${domain}, then run this again.`,
      ),
    };
  });
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
  console.log(await waitForNames({ domain: domain.data, address, seconds }, tools));
}

if (require.main === module)
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
