import { cloudApi } from "../../components/alicloud/api/api";
import { explainFault } from "../../components/alicloud/api/faults";
import { type Successor, machineStates, successors, zoneOfDisk } from "../../components/alicloud/heal";
import { chosenPlacement } from "../../components/alicloud/hooks/chosen-placement";
import { toSettings } from "../../components/settings/settings";
import type { AlicloudTarget } from "../../components/settings/targets";
import type { Say } from "../../cli/run";
import { type Known, type Verdict, judge, knownOf } from "../heal/judge";
import { stackSettings } from "../settings";
import { OpsError, type StackChoice, StackLocked, lockedCode, pulumi, readOutputs, upWords } from "../stack";

/** How often a machine that is taken back while it is set up is replaced by the next, in one run. */
const mostRounds = 3;

/** Longest refresh, and longest `up`, in ms. */
const longest = 90 * 60_000;

export interface HealOptions {
  /** Goes back from a pay-as-you-go machine to a spot one without waiting for a day. */
  readonly spot: boolean;
}

/** What came of it. */
export interface Healed {
  readonly message: string;
  /** 0, or {@link lockedCode}. */
  readonly exitCode: number;
}

/**
 * Makes a machine in place of one that is gone, with the same data disk, public address and host key, and sets it up. A machine that
 * is there is left alone. Pulumi's own lock keeps it apart from any other run.
 *
 * @throws OpsError where no machine can be had, or one could not be set up
 */
export async function heal(choice: StackChoice, options: HealOptions, say: Say): Promise<Healed> {
  try {
    return { message: await healed(choice, options, say), exitCode: 0 };
  } catch (error) {
    if (!(error instanceof StackLocked)) throw error;
    return {
      message: `${error.message}. heal has stopped here; run it again when that run is done.`,
      exitCode: lockedCode,
    };
  }
}

async function healed(choice: StackChoice, { spot }: HealOptions, say: Say): Promise<string> {
  const target = await targetOf(choice);
  const began = Date.now();
  for (let round = 1; round <= mostRounds; round++) {
    const { known, verdict } = await look(choice, target, spot ? Infinity : Date.now());
    if (verdict.act === "nothing") return verdict.why;
    if (!(await carryOut(choice, target, { known, verdict }, say))) continue;
    const minutes = ((Date.now() - began) / 60_000).toFixed(1);
    return `done after ${minutes} minutes: ${(await readOutputs(choice)).url}`;
  }
  throw new OpsError(`each of ${mostRounds} machines was taken back while it was set up: run heal again later`);
}

async function targetOf(choice: StackChoice): Promise<AlicloudTarget> {
  const parsed = await stackSettings(choice);
  if (!parsed.ok) throw new OpsError(parsed.message);
  const { target } = toSettings(parsed.values);
  if (target.kind !== "alicloud") throw new OpsError("only target alicloud has machines that can be made again");
  if (target.machine.charge === "subscription") throw new OpsError("a subscription is bought by pulumi up alone");
  return target;
}

async function look(
  choice: StackChoice,
  target: AlicloudTarget,
  now: number,
): Promise<{ readonly known: Known; readonly verdict: Verdict }> {
  const known = knownOf(await pulumi(choice, ["stack", "export"]));
  const ids = [...known.machines.values()];
  const states = await asked(() => machineStates(cloudApi(target.region), ids));
  return { known, verdict: judge(known, states, target, now) };
}

/** What the cloud answers; its refusal is a sentence. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  return ask().catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    throw new OpsError(explainFault(words) ?? words, { cause: error });
  });
}

/** @returns false where the new machine is gone, too */
function carryOut(
  choice: StackChoice,
  target: AlicloudTarget,
  { known, verdict }: { readonly known: Known; readonly verdict: Exclude<Verdict, { act: "nothing" }> },
  say: Say,
): Promise<boolean> {
  switch (verdict.act) {
    case "spot":
      return backToSpot(choice, target, known, say);
    case "finish":
      return takeFirst(
        choice,
        target,
        [{ words: `up to its end on the machine that is there: ${verdict.behind.join(", ")}` }],
        say,
      );
    case "host":
    case "workers":
      return replace(choice, target, verdict, say);
  }
}

/** @returns false where the new machine is gone, too */
async function replace(
  choice: StackChoice,
  target: AlicloudTarget,
  { act, gone }: Extract<Verdict, { act: "host" | "workers" }>,
  say: Say,
): Promise<boolean> {
  say(gone.length > 0 ? `gone: ${gone.join(", ")}` : "the machine is gone");
  // Before the state forgets the machine: where none can be had, nothing is changed.
  if (act === "host") await choose(choice, target);
  say("refreshing the state");
  await pulumi(choice, ["refresh", "--yes", "--skip-preview", "--suppress-outputs"], { timeoutMs: longest });
  // Somebody else's run may have been faster.
  const { verdict } = await look(choice, target, Date.now());
  if (verdict.act === "nothing") {
    say(verdict.why);
    return true;
  }
  const steps: readonly Step[] =
    verdict.act === "host" ? (await choose(choice, target)).found : [{ words: "what the settings say" }];
  return takeFirst(choice, target, steps, say);
}

/** @throws OpsError with the ways out where no machine can be had, or the data disk is gone */
async function choose(choice: StackChoice, target: AlicloudTarget) {
  const { placement, diskId } = knownOf(await pulumi(choice, ["stack", "export"]));
  if (placement === undefined || diskId === undefined)
    throw new OpsError("the state has no data disk: pulumi up makes one");
  const api = cloudApi(target.region);
  if ((await asked(() => zoneOfDisk(api, diskId))) === undefined)
    throw new OpsError(
      `the data disk ${diskId} is gone, and with it the data: pulumi config set restoreFromSnapshot s-… && pulumi refresh && pulumi up, or restore a backup`,
    );
  const all = await asked(() => successors(api, target, placement, diskId, new Date()));
  if (all.found.length === 0) throw new OpsError(all.none);
  return all;
}

/** The pay-as-you-go machine itself is the last that is tried: what it is then stands in the state again. */
async function backToSpot(
  choice: StackChoice,
  target: AlicloudTarget,
  { placement, diskId }: Known,
  say: Say,
): Promise<boolean> {
  if (placement === undefined || diskId === undefined) return true;
  const api = cloudApi(target.region);
  const all = await asked(() => successors(api, target, placement, diskId, new Date()));
  const spot = all.found.filter((one) => one.placement.standIn === undefined);
  if (spot.length === 0) {
    say("no spot machine can be had yet: the machine stays pay-as-you-go");
    return true;
  }
  return takeFirst(choice, target, [...spot, { placement, words: "the pay-as-you-go machine again" }], say);
}

/** As explainFault tells a type that is sold out. */
const noStock =
  /NoStock|NotOnSale|StockNotEnough|ResourcesNotInStock|InvalidInstanceType\.\w+|InvalidResourceType\.NotSupported/;

/** One `up`: with another machine for the host, or as the settings say. */
type Step = Pick<Successor, "words"> & Partial<Successor>;

/**
 * An `up` with the first that is still in stock.
 *
 * @returns false where the machine was taken back meanwhile
 */
async function takeFirst(
  choice: StackChoice,
  target: AlicloudTarget,
  found: readonly Step[],
  say: Say,
): Promise<boolean> {
  let last: OpsError | undefined;
  for (const { placement, words } of found) {
    say(`taking ${words}`);
    const { choice: urns } = knownOf(await pulumi(choice, ["stack", "export"]));
    const again = placement === undefined ? [] : urns.flatMap((urn) => ["--replace", urn]);
    const env = placement && { [chosenPlacement]: JSON.stringify(placement) };
    try {
      await pulumi(choice, ["up", "--yes", "--skip-preview", "--suppress-outputs", ...again], {
        ...(env && { env }),
        timeoutMs: longest,
      });
      return true;
    } catch (error) {
      if (!(error instanceof OpsError) || error instanceof StackLocked) throw error;
      last = new OpsError(upWords(error), { cause: error });
      if (!noStock.test(last.message)) break;
      say("it is sold out");
    }
  }
  const { verdict } = await look(choice, target, 0);
  if (verdict.act === "host" && verdict.gone.length > 0) {
    say("it was taken back while it was set up");
    return false;
  }
  throw last ?? new OpsError("there is no machine to take");
}
