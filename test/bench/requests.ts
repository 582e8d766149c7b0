import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "../sandbox/world";
import type { Row } from "./main";

const total = 1000;
const perSecond = 50;

/** Requests of a signed-in visitor that did not get their answer while something changed. */
export async function lostRequests(world: World): Promise<Row[]> {
  const configure = (values: Record<string, unknown>) => async () => {
    world.sandbox.configure(values);
    await world.up();
  };
  const routeChange = await lostDuring(world, "", configure({ opencodeSubdomain: "dev" }));
  await configure({ opencodeSubdomain: undefined })();
  const redeploy = await lostDuring(world, "", configure({ opencodeMemoryMiB: "1800" }));
  // It has its data open and cannot run twice: Caddy holds what comes until it is back.
  const itself = await lostDuring(world, "code", configure({ opencodeMemoryMiB: "1900" }));
  return [
    { measure: `requests lost of ${total} at ${perSecond}/s while a Route changes`, value: routeChange, aim: "0" },
    {
      measure: `requests lost of ${total} at ${perSecond}/s while another App is redeployed`,
      value: redeploy,
      aim: "0",
    },
    { measure: `requests lost of ${total} at ${perSecond}/s while their App is redeployed`, value: itself, aim: "0" },
  ];
}

async function lostDuring(world: World, subdomain: string, change: () => Promise<void>): Promise<string> {
  const headers = { cookie: world.cookie, accept: "text/html" };
  const lost: string[] = [];
  let slowest = 0;
  const ask = async () => {
    const start = Date.now();
    const answer = await world
      .request(subdomain, "/", { headers })
      .catch((error: unknown) => ({ status: String(error) }));
    slowest = Math.max(slowest, Date.now() - start);
    if (answer.status !== 200) lost.push(String(answer.status));
  };
  // The change begins with the load under way, and the load outlasts it.
  const changed = sleep(2000).then(change);
  const asked: Promise<void>[] = [];
  for (let sent = 0; sent < total; sent++) {
    asked.push(ask());
    await sleep(1000 / perSecond);
  }
  await Promise.all([...asked, changed]);
  const kinds = lost.length > 0 ? ` (${[...new Set(lost)].join(", ")})` : "";
  return `${lost.length}${kinds}, slowest ${(slowest / 1000).toFixed(1)} s`;
}
