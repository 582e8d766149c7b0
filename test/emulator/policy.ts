import { z } from "zod";

const actions = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** A RAM policy, as far as the emulator knows them: statements that allow actions on everything. */
export const policySchema = z.object({
  Version: z.literal("1"),
  Statement: z.array(z.object({ Effect: z.literal("Allow"), Action: actions, Resource: z.literal("*") }).strict()),
});
export type Policy = z.infer<typeof policySchema>;

/** Whether the policy allows a RAM action such as `ecs:RunInstances`; RAM ignores case. */
export const allows = (policy: Policy, action: string): boolean =>
  policy.Statement.flatMap((statement) => statement.Action).some((pattern) =>
    new RegExp(`^${pattern.replaceAll("*", ".*")}$`, "i").test(action),
  );
