import type { Problem } from "../settings/problem";
import type { Section, Setting } from "../settings/setting";
import type { Settings } from "../settings/settings";
import type { PlainSettings, SettingValues } from "../settings/table";
import type { App, WorkerOpenings } from "./app";
import { casecheck } from "./casecheck";
import { donation } from "./donation";
import { lwsandbox } from "./lwsandbox";
import { opencode } from "./opencode";
import { tgSigner } from "./tg-signer";

/** Every kind of App there is, in the order of the index page. A new one is a file in this folder, a folder in stack-templates/, and an entry here. */
export const appKinds = [opencode, tgSigner, donation, casecheck, lwsandbox] as const;

/** The settings of a list of kinds as one section. */
type SettingsOf<Kinds extends readonly { readonly settings: Section }[]> = Kinds extends readonly [
  infer First extends { readonly settings: Section },
  ...infer Rest extends readonly { readonly settings: Section }[],
]
  ? First["settings"] & SettingsOf<Rest>
  : unknown;

/** The settings of every App, by key. */
export const appSettings = Object.fromEntries(
  appKinds.flatMap(({ settings }) => Object.entries<Setting>(settings)),
) as SettingsOf<typeof appKinds>;

/** The Apps that are switched on, as plain values. */
export function enabledApps({ values, images, sources, mirrors, timeZone, docker }: Settings): App[] {
  const context = {
    images,
    sources,
    mirrors,
    timeZone,
    registryMirrors: docker.registryMirrors,
    hostAddress: values.hostAddress,
    modelProxy: {
      subdomain: values.donationProxySubdomain,
      clients: values.opencodeEnabled && values.opencodeDonationModels.length > 0 ? [opencode.name] : [],
    },
    agentSandboxes: values.opencodeEnabled ? values.opencodeSandboxes : 0,
  };
  return appKinds
    .filter((kind) => values[kind.enabled])
    .map((kind) => ({ name: kind.name, ...kind.app(values, context) }));
}

/** Of the Apps that are switched on: what works, but should not stay so. */
export function appWarnings({ values, ...context }: Settings): Problem[] {
  return appKinds.flatMap((kind) => (values[kind.enabled] ? (kind.warnings?.(values, context) ?? []) : []));
}

/** The machines next to the host that the enabled Apps ask for. */
export interface RequestedWorkers {
  /** Number of those that the target alicloud makes. */
  readonly count: number;
  /** Undefined: the host's own. */
  readonly instanceType: string | undefined;
  /** Those of the target existing, each a line of ssh-keyscan, with what must be let through to it. */
  readonly hosts: readonly { readonly line: string; readonly openings: WorkerOpenings }[];
}

/** @param values checked, or as the rules between settings see them */
export function requestedWorkers(values: PlainSettings | SettingValues): RequestedWorkers {
  const asked = appKinds.flatMap(({ enabled, workers }) => (workers && values[enabled] === true ? [workers] : []));
  return {
    count: asked.reduce((sum, { count }) => sum + (values[count] ?? 0), 0),
    instanceType: asked.map(({ instanceType }) => values[instanceType]).find((type) => type !== undefined),
    hosts: asked.flatMap(({ hosts, openings }) => (values[hosts] ?? []).map((line) => ({ line, openings }))),
  };
}

/** Networks that an App needs for itself. */
export const reservedNetworks = appKinds.flatMap((kind) => kind.reserved ?? []);

/** Names of the Apps that are switched off. */
export function disabledApps({ values }: Settings): string[] {
  return appKinds.filter((kind) => !values[kind.enabled]).map((kind) => kind.name);
}
