import { readFileSync } from "node:fs";
import { Agent, createServer, get } from "node:http";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { RenderedCaddy, isolation } from "../support/rendered-caddy";
import type { Row } from "./main";
import { opencodeSite } from "../support/routes";

const rounds = 20;
const roundMs = 700;
const connections = 16;

const route = opencodeSite();
const domain = "home.example.com";
const ownRequest = {
  host: `code.${domain}`,
  cookie: "authelia_session=0123456789abcdef",
  origin: `https://code.${domain}`,
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "empty",
};

/**
 * Requests a second through the real Caddy, the gateway and an App that only say yes, with the check of who caused a request and
 * without it, in short rounds that take turns. On a busy machine Caddy's processor time says more.
 */
export async function isolationCost(): Promise<Row[]> {
  const server = createServer((_request, response) => response.end("ok"));
  const port = await listen(server);
  const options = { domain, routes: [route], portOf: () => Promise.resolve(port) };
  const checked = await RenderedCaddy.start(options);
  const unchecked = await RenderedCaddy.start({ ...options, without: isolation });
  const [withCheck, without, refused]: readonly [Sum, Sum, Sum] = [newSum(), newSum(), newSum()];
  try {
    for (let round = 0; round < rounds; round++) {
      await load(unchecked, ownRequest, 200, without);
      await load(checked, ownRequest, 200, withCheck);
      await load(checked, { ...ownRequest, origin: "null" }, 403, refused);
    }
  } finally {
    checked.stop();
    unchecked.stop();
    server.close();
    server.closeAllConnections();
  }
  const rate = ({ answered, seconds }: Sum) => (answered / seconds).toFixed(0);
  const cost = ({ answered, processor }: Sum) => ((processor / answered) * 1e6).toFixed(0);
  return [
    {
      measure: "requests/s through edge and gate, with and without the check of who caused them (those refused)",
      value: `${rate(withCheck)} and ${rate(without)} (${rate(refused)})`,
      aim: "at least 90 %",
    },
    {
      measure: "Caddy's processor time for one of them, in microseconds",
      value: `${cost(withCheck)} and ${cost(without)} (${cost(refused)})`,
      aim: "at most 10 % more",
    },
  ];
}

/** Of all rounds of one kind; seconds. */
interface Sum {
  answered: number;
  seconds: number;
  processor: number;
}

const newSum = (): Sum => ({ answered: 0, seconds: 0, processor: 0 });

/** @throws Error where an answer has another status */
async function load(
  { port, pid }: RenderedCaddy,
  headers: Readonly<Record<string, string>>,
  status: number,
  sum: Sum,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const [start, before] = [Date.now(), processorSeconds(pid)];
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      get({ host: "127.0.0.1", port, path: "/", headers, agent }, (response) => {
        response.resume().on("end", resolve);
        if (response.statusCode !== status) reject(new Error(`status ${response.statusCode ?? 0}, not ${status}`));
      }).on("error", reject);
    });
  const worker = async () => {
    while (Date.now() < start + roundMs) {
      await ask();
      sum.answered += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  sum.seconds += (Date.now() - start) / 1000;
  sum.processor += processorSeconds(pid) - before;
}

/** What a process used of the processors (proc(5), utime and stime, in the usual hundredths). */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
