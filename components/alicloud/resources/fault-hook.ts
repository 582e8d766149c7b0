import * as pulumi from "@pulumi/pulumi";
import { OperatorError } from "../../operator-error";
import { explainFault } from "../api/faults";

/** Explains what the provider says when a resource fails; for `hooks: { onError: [...] }` of each resource of the cloud. */
export function faultHook(): pulumi.ErrorHook {
  return new pulumi.ErrorHook("explain-alicloud-fault", explainAtResource);
}

/** Logs the sentence of the newest error, if it is a known one; the operation is not tried again. */
export async function explainAtResource({ urn, errors }: pulumi.ErrorHookArgs): Promise<false> {
  const sentence = explainFault(errors[0] ?? "");
  // On the resource itself it would wait for the operation, which waits for this hook.
  if (sentence !== undefined) await pulumi.log.error(sentence, new pulumi.DependencyResource(urn));
  return false;
}

/** Stands where a function of the provider failed: its error in one sentence, without a trace of this program. */
export function explained(error: unknown): never {
  const said = error instanceof Error ? error.message : String(error);
  throw new OperatorError(explainFault(said) ?? said);
}
