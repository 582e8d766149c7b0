import { z } from "zod";

const actions = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** A RAM policy, as far as the emulator knows them: statements that allow actions. */
export const policySchema = z.object({
  Version: z.literal("1"),
  Statement: z.array(z.object({ Effect: z.literal("Allow"), Action: actions, Resource: actions }).strict()),
});
export type Policy = z.infer<typeof policySchema>;

const fits = (patterns: readonly string[], value: string, flags: string): boolean =>
  patterns.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`, flags).test(value));

/** Whether the policy allows a RAM action such as `ecs:RunInstances`, whose case RAM ignores, on a resource. */
export const allows = (policy: Policy, action: string, resource: string): boolean =>
  policy.Statement.some((one) => fits(one.Action, action, "i") && fits(one.Resource, resource, ""));
