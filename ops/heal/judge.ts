import { z } from "zod";
import { deploymentOf } from "../deployment";
import type { MachineState } from "../../components/alicloud/heal";
import { type Placement, placementSchema } from "../../components/alicloud/hooks/placement";
import type { AlicloudTarget } from "../../components/settings/targets";

/** How long a pay-as-you-go machine stands in before a spot machine is looked for, in ms. */
const standInMs = 24 * 3600_000;

/** What heal needs to know of a stack's state. */
export interface Known {
  /** Ids of the host and of lwsandbox's workers, by the name of the resource. */
  readonly machines: ReadonlyMap<string, string>;
  readonly diskId: string | undefined;
  readonly placement: Placement | undefined;
  /** URNs of the commands that choose the host's place and type. */
  readonly choice: readonly string[];
  /** Names of lwsandbox's workers, with their machines or without. */
  readonly workers: readonly string[];
  /** Names of the commands that have run on another machine than the host of now: an `up` was cut off after it had a machine. */
  readonly behind: readonly string[];
  /** Whether a host was ever complete: its public address is made after the machine. */
  readonly hadHost: boolean;
}

const stateSchema = deploymentOf(
  z.object({
    urn: z.string(),
    id: z.string().optional(),
    delete: z.boolean().default(false),
    inputs: z.looseObject({ triggers: z.unknown().optional() }).optional(),
    outputs: z.looseObject({ stdout: z.unknown().optional() }).optional(),
  }),
);

/** @param exported what `pulumi stack export` prints */
export function knownOf(exported: string): Known {
  const resources = stateSchema.parse(JSON.parse(exported)).deployment.resources.filter((one) => !one.delete);
  const named = new Map(resources.map((one) => [one.urn.split("::").slice(3).join("::"), one]));
  const placement = named.get("host-placement")?.outputs?.stdout;
  const hostId = named.get("host-instance")?.id;
  return {
    machines: new Map(
      [...named].flatMap(([name, { id }]) =>
        /^(host|worker-\d+)-instance$/.test(name) && id !== undefined && id !== "" ? [[name, id] as const] : [],
      ),
    ),
    diskId: named.get("host-data-disk")?.id,
    placement: typeof placement === "string" ? placementSchema.parse(JSON.parse(placement)) : undefined,
    choice: ["host-placement", "host-type"].flatMap((name) => named.get(name)?.urn ?? []),
    workers: resources.flatMap(({ urn }) => /cloudcode:index:AlicloudWorker::(worker-\d+)$/.exec(urn)?.[1] ?? []),
    behind: [...named].flatMap(([name, { inputs }]) => {
      const made = machineOf(inputs?.triggers);
      const ofHost = name === "docker-install" || (/-release$/.test(name) && !name.startsWith("worker-"));
      return ofHost && hostId !== undefined && made !== undefined && made !== hostId ? [name] : [];
    }),
    hadHost: named.has("host-address"),
  };
}

/** The machine that a command has run on: its trigger is the generation of that, "i-… TYPE". */
function machineOf(triggers: unknown): string | undefined {
  const [first] = z.array(z.unknown()).catch([]).parse(triggers);
  return typeof first === "string" ? /^(i-\S+) /.exec(first)?.[1] : undefined;
}

/** What is to be done. */
export type Verdict =
  | { readonly act: "nothing"; readonly why: string }
  | { readonly act: "host"; readonly gone: readonly string[] }
  | { readonly act: "workers"; readonly gone: readonly string[] }
  | { readonly act: "finish"; readonly behind: readonly string[] }
  | { readonly act: "spot"; readonly since: string };

/**
 * @param states of the machines of `known`, by id
 * @param now ms since 1970; Infinity: no stand-in is to be waited for
 */
export function judge(
  { machines, placement, workers, behind, hadHost }: Known,
  states: ReadonlyMap<string, MachineState>,
  { machine }: Pick<AlicloudTarget, "machine">,
  now: number,
): Verdict {
  const hostId = machines.get("host-instance");
  if (placement === undefined || (hostId === undefined && !hadHost))
    return { act: "nothing", why: "this stack has no machine: pulumi up makes one" };
  if (machine.power === "stopped") return { act: "nothing", why: "the machine is switched off by the setting power" };
  const gone = [...machines].filter(([, id]) => states.get(id) === "gone").map(([name, id]) => `${name} ${id}`);
  const lost = workers.filter((name) => !machines.has(`${name}-instance`));
  if (hostId === undefined || states.get(hostId) === "gone") return { act: "host", gone };
  if (states.get(hostId) === "leaving")
    return { act: "nothing", why: `Alibaba Cloud is about to take ${hostId} back; heal replaces it once it is gone` };
  if (gone.length + lost.length > 0) return { act: "workers", gone: [...gone, ...lost] };
  if (behind.length > 0) return { act: "finish", behind };
  const { standIn } = placement;
  if (standIn === undefined || machine.charge !== "spot")
    return { act: "nothing", why: `the machine ${hostId} is there` };
  const until = new Date(Date.parse(standIn.since) + standInMs);
  if (now < until.getTime())
    return {
      act: "nothing",
      why: `the machine ${hostId} is there, pay-as-you-go in place of spot until ${until.toISOString()} at least`,
    };
  if (machine.protect)
    return {
      act: "nothing",
      why: `the machine ${hostId} is pay-as-you-go in place of spot, and protectMachine keeps it`,
    };
  return { act: "spot", since: standIn.since };
}
