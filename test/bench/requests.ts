import { type Loaded, perSecond, underLoad } from "../sandbox/load";
import type { World } from "../sandbox/world";
import type { Row } from "./main";

/** Requests of a signed-in visitor that did not get their answer while something changed. */
export async function lostRequests(world: World): Promise<Row[]> {
  const configure = (values: Record<string, unknown>) => async () => {
    world.sandbox.configure(values);
    await world.up();
  };
  const during = async (subdomain: string, values: Record<string, unknown>) =>
    shown(await underLoad(world, { subdomain, path: "/" }, configure(values)));
  const routeChange = await during("", { opencodeSubdomain: "dev" });
  await configure({ opencodeSubdomain: undefined })();
  const redeploy = await during("", { opencodeMemoryMiB: "1800" });
  // It has its data open and cannot run twice: Caddy holds what comes until it is back.
  const itself = await during("code", { opencodeMemoryMiB: "1900" });
  return [
    ["while a Route changes", routeChange, "0, slowest <= 1 s"] as const,
    ["while another App is redeployed", redeploy, "0"] as const,
    ["while their App is redeployed, which cannot run twice", itself, "0"] as const,
  ].map(([when, value, aim]) => ({ measure: `requests lost at ${perSecond}/s ${when}`, value, aim }));
}

function shown({ sent, lost, slowest }: Loaded): string {
  const kinds = lost.length > 0 ? ` (${[...new Set(lost)].join(", ")})` : "";
  return `${lost.length} of ${sent}${kinds}, slowest ${slowest.toFixed(1)} s`;
}
