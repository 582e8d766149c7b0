import { z } from "zod";
import { jsonOf } from "./json";

/** Of a resource's state, whether it is protected, and nothing else. */
const state = z.object({ protect: z.boolean().default(false) });

const step = z.object({
  op: z.string(),
  urn: z.string(),
  /** Undefined: it is created, or deleted. */
  oldState: state.optional(),
  newState: state.optional(),
  /** Names of the inputs that differ, and of those that force a replacement. */
  diffReasons: z.array(z.string()).default([]),
  replaceReasons: z.array(z.string()).default([]),
});

const diagnostic = z.object({ urn: z.string().optional(), message: z.string(), severity: z.string() });

const schema = z.object({
  steps: z.array(step).default([]),
  diagnostics: z.array(diagnostic).default([]),
  changeSummary: z.looseObject({ same: z.number().default(0) }).default({ same: 0 }),
});

/**
 * What is read of the output of `pulumi preview --json --show-sames`; inputs and outputs of resources are not, so that no summary can
 * show one. https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/
 */
export type Preview = z.infer<typeof schema>;
export type Step = z.infer<typeof step>;

/**
 * @param text what the CLI printed on standard output
 * @throws Error when that is no preview, as when the CLI failed before it began one
 */
export function parsePreview(text: string): Preview {
  const parsed = schema.safeParse(jsonOf(text));
  if (!parsed.success) throw new Error("The Pulumi CLI printed no preview.");
  return parsed.data;
}

/** The resource's own type, without its parents': `alicloud:ecs/instance:Instance`. */
export function typeOf({ urn }: Pick<Step, "urn">): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

export function nameOf({ urn }: Pick<Step, "urn">): string {
  return urn.split("::").slice(3).join("::");
}

/** What happens to a resource, in the operator's words; the engine's many operations come down to these. */
export type Act = "created" | "changed" | "replaced" | "deleted" | "unchanged";

const acts = new Map<string, Act>([
  ["create", "created"],
  ["import", "created"],
  ["update", "changed"],
  ["delete", "deleted"],
  ["discard", "deleted"],
  ["same", "unchanged"],
  ["read", "unchanged"],
  ["refresh", "unchanged"],
  ["diff", "unchanged"],
  ["extend-parameterize", "unchanged"],
]);

/**
 * The rest are the parts of a replacement (https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step.go); what a
 * newer engine may add is taken for the worst, too.
 */
export function actOf({ op }: Step): Act {
  return acts.get(op) ?? "replaced";
}
