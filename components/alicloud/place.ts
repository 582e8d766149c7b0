/**
 * Run by `node bin/cloudcode-hook.cjs place` once, when the host is made: a PlacementRequest on standard input,
 * its Placement on standard output.
 */
import { machineOf } from "./hooks/adopted";
import { cloudApi } from "./api/api";
import { type Placement, choosePlacement, placementRequestSchema } from "./hooks/placement";
import { runScript } from "./hooks/script";
import { offersOf } from "./hooks/stock";

void runScript(placementRequestSchema, async (request) => {
  const { region, adopted } = request;
  const api = cloudApi(region);
  if (adopted !== undefined) {
    const { zoneId, instanceType, diskCategory } = await machineOf(api, adopted);
    return JSON.stringify({ region, zoneId, instanceType, diskCategory } satisfies Placement);
  }
  const placement: Placement = { region, ...choosePlacement(request, await offersOf(api, request)) };
  return JSON.stringify(placement);
});
