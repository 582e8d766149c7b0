import { type Act, type Preview, type Step, actOf, nameOf, typeOf } from "../../cli/preview";

/** A pull request with this label may do what {@link guardedChanges} finds. */
export const allowLabel = "allow-replace";

/** Resource types that no pull request may delete or replace without the label, and what they are. */
export const guardedResources: ReadonlyMap<string, string> = new Map([
  ["alicloud:ecs/instance:Instance", "the machine"],
  ["alicloud:ecs/ecsDisk:EcsDisk", "the data disk"],
  ["alicloud:ecs/eipAddress:EipAddress", "the public address"],
  ["alicloud:oss/bucket:Bucket", "the backup bucket"],
]);

/** The same for one resource of a type that is otherwise free to change. */
const guardedByName = new Map([["backup-password", "the backup password"]]);

/** One such change. */
export interface GuardedChange {
  /** What it is, such as `the data disk`. */
  readonly what: string;
  readonly name: string;
  /** `unprotected`: `deleteData` takes its protection away, so that the next `pulumi destroy` deletes it. */
  readonly act: Act | "wiped" | "unprotected";
  /** Names of the inputs that force it. */
  readonly because: readonly string[];
}

/** What a preview does that cannot be undone: to the resources above, and to every other one that is protected. */
export function guardedChanges({ steps }: Preview): GuardedChange[] {
  return steps.flatMap((step) => {
    const what = guardedAs(step);
    const act = what === undefined ? undefined : harmOf(step);
    if (what === undefined || act === undefined) return [];
    const because = act === "wiped" ? [image] : step.replaceReasons.toSorted();
    return [{ what, name: nameOf(step), act, because }];
  });
}

const image = "imageId";

/** Undefined: it may go. */
function guardedAs(step: Step): string | undefined {
  const known = guardedResources.get(typeOf(step)) ?? guardedByName.get(nameOf(step));
  return known ?? (step.oldState?.protect ? "the protected resource" : undefined);
}

/** Undefined: none. */
function harmOf(step: Step): GuardedChange["act"] | undefined {
  const act = actOf(step);
  if (act === "replaced" || act === "deleted") return act;
  // The provider gives a machine another image in place, over all that its system disk holds.
  if (act === "changed" && step.diffReasons.includes(image)) return "wiped";
  return step.oldState?.protect && !step.newState?.protect ? "unprotected" : undefined;
}

/** Whether a pull request with these labels may do that. */
export function isAllowed(changes: readonly GuardedChange[], labels: readonly string[]): boolean {
  return changes.length === 0 || labels.includes(allowLabel);
}
