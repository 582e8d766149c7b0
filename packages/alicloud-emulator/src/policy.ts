import { z } from "zod";

const words = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** Which tags are looked at: of the request, or of the resource it is about. */
const tagKey = z.string().regex(/^acs:(RequestTag|ResourceTag)\/./);

/**
 * A RAM policy, as far as the emulator knows them: statements that allow actions on resources, where tags are as named.
 * https://www.alibabacloud.com/help/en/ram/policy-elements
 */
export const policySchema = z.object({
  Version: z.literal("1"),
  Statement: z.array(
    z
      .object({
        Effect: z.literal("Allow"),
        Action: words,
        Resource: words,
        Condition: z.strictObject({ StringEquals: z.record(tagKey, words) }).optional(),
      })
      .strict(),
  ),
});
export type Policy = z.infer<typeof policySchema>;
type Statement = Policy["Statement"][number];

type Tags = Readonly<Record<string, string>>;

/** Something a request is about, as RAM sees it. */
export interface Requested {
  /** What is to be made is `acs:ecs:REGION:ACCOUNT:disk/*`, and `*` what an API does not tell apart. */
  readonly arn: string;
  /** None of what is to be made. */
  readonly tags: Tags;
}

/** What RAM is asked. */
export interface Question {
  /** Such as `ecs:RunInstances`; RAM ignores its case. */
  readonly action: string;
  /** Each must be allowed. None where what is named does not exist, which the API says before it asks RAM. */
  readonly resources: readonly Requested[];
  /** That the request gives. */
  readonly tags: Tags;
}

/** `*` stands for anything, `?` for one character. */
const fits = (patterns: readonly string[], value: string, flags = ""): boolean =>
  patterns.some((pattern) => {
    const literal = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`, flags).test(value);
  });

/** Every key must have one of its values. */
function holds({ Condition }: Statement, request: Tags, resource: Tags): boolean {
  return Object.entries(Condition?.StringEquals ?? {}).every(([key, values]) => {
    const [kind = "", name = ""] = key.split(/\/(.*)/s);
    const value = (kind === "acs:RequestTag" ? request : resource)[name];
    return value !== undefined && values.includes(value);
  });
}

export function allows(policy: Policy, { action, resources, tags }: Question): boolean {
  const statements = policy.Statement.filter(({ Action }) => fits(Action, action, "i"));
  const allowed = ({ arn, tags: own }: Requested) =>
    statements.some((statement) => fits(statement.Resource, arn) && holds(statement, tags, own));
  return statements.length > 0 && resources.every(allowed);
}
