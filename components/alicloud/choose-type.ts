/**
 * Run by `node bin/cloudcode-hook.cjs choose-type`, a type request on standard input, the choice on standard
 * output: at first what the host was placed as, and after a change of the request the best that can be had. The choice of the
 * time before is in PULUMI_COMMAND_STDOUT.
 */
import { cloudApi } from "./api/api";
import { choosePlacement, placeSchema, typeRequestSchema } from "./hooks/placement";
import { ScriptError, runScript } from "./hooks/script";
import { offersOf } from "./hooks/stock";

function choiceBefore(stdout = "") {
  if (stdout.trim() === "") return undefined;
  try {
    return placeSchema.parse(JSON.parse(stdout));
  } catch {
    throw new ScriptError(`The state has no instance type, but: ${stdout.trim()}`);
  }
}

void runScript(typeRequestSchema, async (request) => {
  const before = choiceBefore(process.env["PULUMI_COMMAND_STDOUT"]);
  const choice = before
    ? choosePlacement(request, await offersOf(cloudApi(request.region), request), before)
    : request.first;
  return JSON.stringify(choice);
});
