import { randomUUID } from "node:crypto";
import type { RecordedResource } from "./recorder";

/**
 * What `pulumi stack import` takes: these resources as the engine keeps them when they are made.
 *
 * @param urns of each, by the one it was recorded with
 */
export function stateOf(resources: readonly RecordedResource[], urns: ReadonlyMap<string, string>): string {
  const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const urnOf = (urn: string) => urns.get(urn) ?? root?.urn;
  const providers = new Map<string, object>();
  const ids = new Map(resources.map(({ urn }) => [urn, randomUUID()]));
  const providerOf = ({ type, options, version }: RecordedResource): string => {
    const explicit = resources.find((one) => one.type.startsWith("pulumi:providers:") && one.name === options.provider);
    if (explicit) return `${String(urnOf(explicit.urn))}::${String(ids.get(explicit.urn))}`;
    const [pkg = ""] = type.split(":");
    const urn = `urn:pulumi:test::cloudcode::pulumi:providers:${pkg}::default_${version.replaceAll(".", "_")}`;
    const known = { urn, custom: true, id: "00000000-0000-4000-8000-000000000000", type: `pulumi:providers:${pkg}` };
    providers.set(urn, { ...known, inputs: { version }, outputs: { version } });
    return `${urn}::${known.id}`;
  };
  const states = resources.map((one) => {
    const { type, inputs, outputs, options } = one;
    const isProvider = type.startsWith("pulumi:providers:");
    const isComponent = type.startsWith("cloudcode:") || type === "pulumi:pulumi:Stack";
    const common = {
      urn: urnOf(one.urn),
      custom: !isComponent,
      type,
      ...(options.parent !== "" && { parent: urnOf(options.parent) }),
    };
    if (isComponent) return { ...common, type: String(common.urn).split("::")[2]?.split("$").at(-1) };
    const id = isProvider ? ids.get(one.urn) : (one.id ?? `${one.name}-id`);
    return {
      ...common,
      id,
      inputs,
      outputs: { ...inputs, ...outputs },
      protect: options.protect,
      dependencies: options.dependsOn.map(urnOf),
      ...(isProvider ? {} : { provider: providerOf(one) }),
    };
  });
  const manifest = { time: "2026-11-01T00:00:00Z", magic: "", version: "" };
  return JSON.stringify({ version: 3, deployment: { manifest, resources: [...providers.values(), ...states] } });
}
