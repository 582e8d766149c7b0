import type { ProgramRun } from "./program";
import type { RecordedResource } from "./recorder";

/** Options of a resource, with names instead of URNs; what is not set is missing. */
export interface NamedOptions {
  readonly parent?: string;
  /** By its options or its inputs, sorted. */
  readonly dependsOn?: readonly string[];
  readonly protect?: true;
  readonly deletedWith?: string;
  readonly deleteBeforeReplace?: true;
  readonly ignoreChanges?: readonly string[];
  readonly replaceOnChanges?: readonly string[];
  readonly provider?: string;
  readonly onError?: readonly string[];
}

/** The options of a resource as the engine received them. */
export function optionsOf(run: ProgramRun, name: string): NamedOptions {
  const { options } = run.resource(name);
  const nameOf = (urn: string) => run.resources.find((resource) => resource.urn === urn)?.name ?? urn;
  const named: Required<Record<keyof NamedOptions, unknown>> = {
    parent: nameOf(options.parent),
    dependsOn: options.dependsOn.map(nameOf).sort(),
    protect: options.protect,
    deletedWith: nameOf(options.deletedWith),
    deleteBeforeReplace: options.deleteBeforeReplace,
    ignoreChanges: options.ignoreChanges,
    replaceOnChanges: options.replaceOnChanges,
    provider: options.provider,
    onError: options.onError,
  };
  const isSet = (value: unknown) => value !== false && value !== "" && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(named).filter(([, value]) => isSet(value)));
}

/** Those of Alibaba Cloud's provider. */
export function cloudResources({ resources }: ProgramRun): RecordedResource[] {
  return resources.filter(({ type }) => type.startsWith("alicloud:"));
}
