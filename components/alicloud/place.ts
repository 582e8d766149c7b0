/**
 * Run by `node bin/cloudcode-hook.cjs place` once, when the host is made: a request for a new placement on standard input, its
 * Placement on standard output, and why it is that one on standard error, which the engine shows. `ops heal`, which replaces it,
 * has chosen one already.
 */
import { z } from "zod";
import { type CloudApi, cloudApi } from "./api/api";
import { machineOf } from "./hooks/adopted";
import {
  type NewPlacementRequest,
  type Placement,
  cheapestPlacement,
  newPlacementRequestSchema,
  placementSchema,
} from "./hooks/placement";
import { chosenPlacement } from "./hooks/chosen-placement";
import { pricedPlaces } from "./hooks/priced-places";
import { runScript } from "./hooks/script";
import { offersOf } from "./hooks/stock";

const chosen = process.env[chosenPlacement];

void (chosen === undefined
  ? runScript(newPlacementRequestSchema, async (request) => JSON.stringify(await place(request)))
  : // The request is of when the host was made, maybe by an earlier version.
    runScript(z.unknown(), () => Promise.resolve(JSON.stringify(placementSchema.parse(JSON.parse(chosen))))));

async function place(request: NewPlacementRequest): Promise<Placement> {
  const { region, adopted } = request;
  const api = cloudApi(region);
  if (adopted === undefined) return { region, ...(await cheapest(api, request)) };
  const { zoneId, instanceType, diskCategory } = await machineOf(api, adopted);
  return { region, zoneId, instanceType, diskCategory };
}

async function cheapest(api: CloudApi, request: NewPlacementRequest) {
  const asked = offersOf(api, request);
  const [offers, { prices, limit }] = await Promise.all([asked, pricedPlaces(request, asked)]);
  const { place: best, why } = cheapestPlacement(request, offers, prices, limit);
  console.error(why);
  return best;
}
