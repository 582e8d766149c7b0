/**
 * Run by `node --import tsx components/alicloud/place.ts` once, when the host is made: a PlacementRequest on standard input,
 * its Placement on standard output.
 */
import { cloudApi } from "./api";
import { type Placement, choosePlacement, placementRequestSchema } from "./placement";
import { runScript } from "./script";
import { offersOf } from "./stock";

void runScript(placementRequestSchema, async (request) => {
  const { region } = request;
  const placement: Placement = { region, ...choosePlacement(request, await offersOf(cloudApi(region), request)) };
  return JSON.stringify(placement);
});
