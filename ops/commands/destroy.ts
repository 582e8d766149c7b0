import { spawnSync } from "node:child_process";
import { z } from "zod";
import { explainFault } from "../../components/alicloud/api/faults";
import { openCosts } from "../../components/alicloud/prices/cost";
import { money, withoutMachine } from "../../components/alicloud/prices/estimate";
import { guardName } from "../../components/destroy/guard";
import { toSettings } from "../../components/settings/settings";
import type { Say } from "../../cli/run";
import { deploymentOf } from "../deployment";
import { stackSettings } from "../settings";
import { type Answer, answer, done } from "../shapes";
import { OpsError, type StackChoice, attached, placeOf, pulumi } from "../stack";

const word = z.string().optional().catch(undefined);
const resource = z.object({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().default(false),
  protect: z.boolean().default(false),
  parent: z.string().optional(),
  provider: z.string().optional(),
  dependencies: z.array(z.string()).default([]),
  /** Those of some kinds. */
  outputs: z
    .object({ ipAddress: word, bucket: word, category: word, size: z.number().optional().catch(undefined) })
    .default({}),
});
export type StateResource = z.infer<typeof resource>;
const stateSchema = deploymentOf(resource);

/** What a destroy takes away and what it keeps, in words. */
export interface DestroyPlan {
  readonly goes: readonly string[];
  readonly stays: readonly string[];
  /** URNs of what Pulumi protects, and of the guard, which goes with the last protection: an update of these lets go. */
  readonly guardedUrns: readonly string[];
  /** Category of the data disk that stays; undefined: none does. */
  readonly diskCategory: string | undefined;
}

/** Secrets that data needs, by their name. */
const keptSecrets: Readonly<Record<string, string>> = {
  "auth-encryption-key": "key of Authelia's database",
  "backup-password": "password of backups",
};

/** Kinds that a person knows or pays for, by the type of their resource; the rest is counted. */
const kinds: Readonly<Record<string, (name: string, outputs: StateResource["outputs"]) => string>> = {
  "alicloud:ecs/instance:Instance": (name) => `machine ${name}`,
  "alicloud:ecs/eipAddress:EipAddress": (_name, outputs) => `public address ${outputs.ipAddress ?? ""}`,
  "alicloud:ecs/ecsDisk:EcsDisk": (_name, outputs) => `data disk of ${outputs.size ?? "?"} GiB`,
  "alicloud:ecs/autoSnapshotPolicy:AutoSnapshotPolicy": () => "weekly snapshots from now on",
  "alicloud:oss/bucket:Bucket": (_name, outputs) => `bucket of backups ${outputs.bucket ?? ""}`,
  "alicloud:vpc/network:Network": () => "network",
  "alicloud:dns/alidnsRecord:AlidnsRecord": (name) => `DNS record ${name}`,
  "cloudcode:index:ComposeStack": (name) => `${name} and its containers`,
  "cloudcode:index:DockerEngine": () => "what cloudcode installed on the machine",
  "random:index/randomPassword:RandomPassword": (name) => keptSecrets[name] ?? "",
};

const nameOf = (urn: string) => urn.split("::").at(-1) ?? "";

function wordsOf(resources: readonly StateResource[]): string[] {
  const said = resources.map(({ type, urn, outputs }) => kinds[type]?.(nameOf(urn), outputs) ?? "");
  const counted = resources.filter(({ custom }, index) => custom && said[index] === "").length;
  return [
    ...said.filter((one) => one !== ""),
    ...(counted > 0 ? [`${counted} other resource${counted === 1 ? "" : "s"}`] : []),
  ];
}

/**
 * What `pulumi destroy --exclude-protected` does: what is protected stays, and all that it needs.
 *
 * @param everything also what is protected goes
 */
export function destroyPlan(resources: readonly StateResource[], everything: boolean): DestroyPlan {
  const byUrn = new Map(resources.map((one) => [one.urn, one]));
  const stays = new Set<string>();
  const keep = (urn: string | undefined): void => {
    const one = urn === undefined || stays.has(urn) ? undefined : byUrn.get(urn);
    if (one === undefined) return;
    stays.add(one.urn);
    // A reference to a provider is its URN and its id.
    for (const needed of [one.parent, one.provider?.replace(/::[^:]*$/, ""), ...one.dependencies]) keep(needed);
  };
  const guarded = resources.filter(({ protect }) => protect);
  if (!everything) for (const { urn } of guarded) keep(urn);
  const kept = resources.filter(({ urn }) => stays.has(urn));
  const disk = kept.find(({ type }) => type === "alicloud:ecs/ecsDisk:EcsDisk");
  return {
    goes: wordsOf(resources.filter(({ urn }) => !stays.has(urn))),
    stays: wordsOf(kept.filter(({ protect }) => protect)),
    guardedUrns: resources.filter(({ urn, protect }) => protect || nameOf(urn) === guardName).map(({ urn }) => urn),
    diskCategory: disk && (disk.outputs.category ?? ""),
  };
}

/** How a destroy asks and tells. */
export interface DestroyPerson {
  readonly say: Say;
  readonly confirmed: (question: string) => Promise<boolean>;
}

export interface DestroyOptions {
  /** Deletes data and what else is protected, too. */
  readonly everything: boolean;
  /** Changes nothing. */
  readonly previewOnly: boolean;
  /** Asks no question. */
  readonly yes: boolean;
}

/**
 * Removes the stack but for what is protected, or all of it; says before what goes, what stays and what that costs.
 *
 * @throws OpsError where it was not wanted, or Pulumi failed
 */
export async function destroy(choice: StackChoice, options: DestroyOptions, person: DestroyPerson): Promise<Answer> {
  const { everything, previewOnly, yes } = options;
  const resources = await stateOf(choice);
  if (resources.length === 0) return done("Nothing of this stack is there.");
  const cloud = resources.some(({ type }) => type.startsWith("alicloud:"));
  const plan = destroyPlan(resources, everything);
  const dataStays = cloud || everything ? [] : await dataOnMachine(choice);
  const stays = [...plan.stays, ...dataStays];
  const cost = plan.diskCategory === undefined ? "nothing" : await costOf(choice, plan.diskCategory);
  const text = [
    ...plan.goes.map((one) => `goes:  ${one}`),
    ...stays.map((one) => `stays: ${one}`),
    ...(stays.length === 0 ? ["stays: nothing"] : []),
    `costs: ${cost}`,
  ].join("\n");
  const planned = answer("destroy", { goes: [...plan.goes], stays, costs: cost }, text);
  if (previewOnly) return planned;
  person.say(text);
  const question = everything ? "Delete all of this, with all data, for good?" : "Remove this?";
  if (!yes && !(await person.confirmed(question))) throw new OpsError("nothing was changed");
  if (everything) return destroyEverything(choice, cloud ? plan.guardedUrns : undefined);
  if ((await attached(choice, ["destroy", "--yes", "--skip-preview", "--exclude-protected"])) !== 0)
    throw new OpsError("pulumi destroy failed: see above; run this again once that is corrected");
  const back = "pulumi up brings everything back; npm run ops -- destroy --everything deletes that, too.";
  return done(
    stays.length === 0 ? "All of it is removed." : `Removed. Kept: ${stays.join(", ")}; costs: ${cost}. ${back}`,
  );
}

async function stateOf(choice: StackChoice): Promise<StateResource[]> {
  const { resources } = stateSchema.parse(JSON.parse(await pulumi(choice, ["stack", "export"]))).deployment;
  return resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
}

/** On a machine that the stack did not make, volumes stay unless they are given up. */
async function dataOnMachine(choice: StackChoice): Promise<string[]> {
  const settings = await stackSettings(choice);
  return settings.ok && settings.values.deleteData === true ? [] : ["the Apps' volumes on the machine"];
}

async function costOf(choice: StackChoice, diskCategory: string): Promise<string> {
  const parsed = await stackSettings(choice);
  const target = parsed.ok ? toSettings(parsed.values).target : undefined;
  if (target?.kind !== "alicloud") return "not known: the settings of this stack cannot be read";
  const machine = { ...target.machine, budget: undefined, budgetUsd: 0 };
  const why: string[] = [];
  try {
    const costs = await openCosts({ ...target, machine }, (text) => why.push(text));
    const estimate = await costs.of(machine.instanceTypes[0] ?? "", diskCategory);
    const month = withoutMachine(estimate);
    if (month !== undefined) return `at most ${money(month, estimate.currency)} a month, with its snapshots`;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    why.push(explainFault(said) ?? said);
  }
  return `not known: ${why[0] ?? "there is no price for it"}`;
}

/**
 * @param targets of a stack in a cloud, where all data is on what the cloud deletes: the resources whose protection is taken away first.
 *   Undefined: a machine that stays, on which every stack must hear that its data goes
 */
async function destroyEverything(choice: StackChoice, targets: readonly string[] | undefined): Promise<Answer> {
  const former = await configured(choice);
  const letGo = { deleteData: "true", ...(former["protectMachine"] === "true" && { protectMachine: "false" }) };
  const restore = () => {
    for (const key of Object.keys(letGo)) {
      const value = former[key];
      const words = value === undefined ? ["config", "rm", key] : ["config", "set", key, value];
      spawnSync("pulumi", [...words, ...placeOf(choice)], { stdio: ["ignore", "ignore", "inherit"] });
    }
  };
  // Also where a signal ends this process in the middle.
  process.once("exit", restore);
  try {
    for (const [key, value] of Object.entries(letGo)) await pulumi(choice, ["config", "set", key, value]);
    const chosen = targets?.flatMap((urn) => ["--target", urn]) ?? [];
    if (targets?.length !== 0 && (await attached(choice, ["up", "--yes", "--skip-preview", ...chosen])) !== 0)
      throw new OpsError("what is protected could not be let go: see above; nothing was deleted");
    if ((await attached(choice, ["destroy", "--yes"])) !== 0)
      throw new OpsError("pulumi destroy failed: see above; run this again once that is corrected");
  } finally {
    process.off("exit", restore);
    restore();
  }
  const left = await stateOf(choice);
  if (left.length > 0) throw new OpsError(`${left.length} resources are still in the state: run this again`);
  return done(
    targets === undefined
      ? "Everything is removed, with all data. The state is empty; the machine is as it was found."
      : "Everything is removed, with all data. The state is empty, and host-leftovers (above) asked Alibaba Cloud what is left.",
  );
}

/** What the stack's configuration says of these keys. */
async function configured(choice: StackChoice): Promise<Readonly<Record<string, string | undefined>>> {
  const config = JSON.parse(await pulumi(choice, ["config", "--json"])) as Record<string, { value?: string }>;
  return Object.fromEntries(Object.entries(config).map(([name, { value }]) => [name.replace(/^.*:/, ""), value]));
}
