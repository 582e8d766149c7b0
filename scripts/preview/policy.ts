import { type Act, type Preview, type Step, actOf, nameOf, typeOf } from "./preview";

/** A pull request with this label may do what {@link guardedChanges} finds. */
export const allowLabel = "allow-replace";

/** What no pull request may take away in passing: the machine, the data and the address that DNS points to. */
const guarded = new Map([
  ["alicloud:ecs/instance:Instance", "the machine"],
  ["alicloud:ecs/ecsDisk:EcsDisk", "the data disk"],
  ["alicloud:ecs/eipAddress:EipAddress", "the public address"],
]);

/** One such change. */
export interface GuardedChange {
  /** The machine, the data disk or the public address. */
  readonly what: string;
  readonly name: string;
  readonly act: Act | "wiped";
  /** Names of the inputs that force it. */
  readonly because: readonly string[];
}

/** What a preview does to the machine, the data disk or the public address that cannot be undone. */
export function guardedChanges({ steps }: Preview): GuardedChange[] {
  return steps.flatMap((step) => {
    const what = guarded.get(typeOf(step));
    const act = what === undefined ? undefined : harmOf(step);
    if (what === undefined || act === undefined) return [];
    const because = act === "wiped" ? [image] : step.replaceReasons.toSorted();
    return [{ what, name: nameOf(step), act, because }];
  });
}

const image = "imageId";

/** Undefined: none. */
function harmOf(step: Step): GuardedChange["act"] | undefined {
  const act = actOf(step);
  if (act === "replaced" || act === "deleted") return act;
  // The provider gives a machine another image in place, over all that its system disk holds (lessons B2).
  return act === "changed" && step.diffReasons.includes(image) ? "wiped" : undefined;
}

/** Whether a pull request with these labels may do that. */
export function isAllowed(changes: readonly GuardedChange[], labels: readonly string[]): boolean {
  return changes.length === 0 || labels.includes(allowLabel);
}
