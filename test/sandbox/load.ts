import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "./world";

const atLeast = 1000;
export const perSecond = 50;

export interface Loaded {
  readonly sent: number;
  /** Status or error of each request that was not answered with 200. */
  readonly lost: readonly string[];
  /** Seconds. */
  readonly slowest: number;
}

/** What a signed-in visitor meets who asks steadily while something changes; the load begins before it and outlasts it. */
export async function underLoad(
  world: Pick<World, "request" | "cookie">,
  { subdomain, path }: { readonly subdomain: string; readonly path: string },
  change: () => Promise<unknown>,
): Promise<Loaded> {
  const headers = { cookie: world.cookie, accept: "text/html" };
  const lost: string[] = [];
  let slowest = 0;
  const ask = async () => {
    const start = Date.now();
    const answer = await world
      .request(subdomain, path, { headers })
      .catch((error: unknown) => ({ status: String(error) }));
    slowest = Math.max(slowest, Date.now() - start);
    if (answer.status !== 200) lost.push(String(answer.status));
  };
  const state = { over: false };
  const changed = sleep(2000)
    .then(change)
    .then(() => sleep(2000))
    .finally(() => (state.over = true));
  const asked: Promise<void>[] = [];
  while (asked.length < atLeast || !state.over) {
    asked.push(ask());
    await sleep(1000 / perSecond);
  }
  await Promise.all([...asked, changed]);
  return { sent: asked.length, lost, slowest: slowest / 1000 };
}
