import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Costs } from "../prices/cost";

/** Holds every machine that is bought, or becomes another type, to the budget; one that stays what it is needs none. */
export function budgetHook(costs: Costs): pulumi.ResourceHook {
  return new pulumi.ResourceHook("machine-in-budget", (args) => holdToBudget(costs, args), { onDryRun: true });
}

const inputsSchema = z.object({ instanceType: z.string(), systemDiskCategory: z.string() });

/** @throws OperatorError in one sentence where the budget does not allow what the machine becomes */
export async function holdToBudget(
  costs: Costs,
  { newInputs, oldInputs }: Pick<pulumi.ResourceHookArgs, "newInputs" | "oldInputs">,
): Promise<void> {
  // What a preview does not know yet is held to it when it is made.
  const becomes = inputsSchema.safeParse(newInputs).data;
  const was = inputsSchema.safeParse(oldInputs).data;
  if (becomes === undefined || becomes.instanceType === was?.instanceType) return;
  await costs.allowed(becomes.instanceType, becomes.systemDiskCategory);
}
