/**
 * Run by `node bin/cloudcode-hook.cjs choose-type`, a type request on standard input, the choice on standard
 * output: at first what the host was placed as, and after a change of the list the first of it that can be had. The choice of the
 * time before is in PULUMI_COMMAND_STDOUT.
 */
import { cloudApi } from "./api/api";
import { type TypeChoice, retype, stands, typeChoiceSchema, typeRequestSchema } from "./hooks/placement";
import { ScriptError, runScript } from "./hooks/script";
import { offersOf } from "./hooks/stock";

function choiceBefore(stdout = ""): TypeChoice | undefined {
  if (stdout.trim() === "") return undefined;
  try {
    return typeChoiceSchema.parse(JSON.parse(stdout));
  } catch {
    throw new ScriptError(`The state has no instance type, but: ${stdout.trim()}`);
  }
}

void runScript(typeRequestSchema, async (request) => {
  const before = choiceBefore(process.env["PULUMI_COMMAND_STDOUT"]);
  const { zoneId, instanceType, diskCategory } =
    before === undefined
      ? request.first
      : stands(before, request)
        ? before
        : retype(request, await offersOf(cloudApi(request.region), request), before);
  return JSON.stringify({ zoneId, instanceType, diskCategory, asked: request.instanceTypes } satisfies TypeChoice);
});
