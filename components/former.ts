import * as pulumi from "@pulumi/pulumi";
import type { Target } from "./settings/targets";

/** Resources that were children of the host before there was a Home, and are its siblings now. */
const belowHost: ReadonlySet<string> = new Set(["host-leftovers", "host-placement", "host-type", "host-image"]);

/**
 * Gives each resource of a Home, as an alias, its URN of the releases that had no Home: there all components stood at the top of the
 * stack, the host was an AlicloudHost or an ExistingHost, and the network at the cloud was inside it. So a stack of then keeps
 * every resource.
 *
 * Each has an alias of its own. The engine also derives the aliases of children from those of their parent, but only in the run that
 * finds the parent by its alias: an `up` that ends in between leaves a parent under its new URN and children under their former
 * ones, and the next would create all of those again (pulumi/pulumi, pkg/resource/deploy/step_generator.go, generateAliases).
 *
 * @param kind of the stack's target
 */
export function formerUrns(kind: Target["kind"]): pulumi.ResourceTransformation {
  const host = kind === "alicloud" ? "cloudcode:index:AlicloudHost" : "cloudcode:index:ExistingHost";
  /** Former types of a resource and its parents, as they stand in a URN; empty: the resource is new, and was no parent. */
  const chains = new WeakMap<pulumi.Resource, string>();

  const chainOf = (type: string, name: string, parent: string): string => {
    if (type === "cloudcode:index:Host") return host;
    // With a target existing it has no resource in it.
    if (type === "cloudcode:index:Network") return kind === "alicloud" ? `${host}$${type}` : "";
    if (type === "cloudcode:index:ExistingWorker") return host;
    const above = belowHost.has(name) ? host : parent;
    return above === "" ? type : `${above}$${type}`;
  };

  return ({ resource, type, name, props, opts }) => {
    const parent = opts.parent && chains.get(opts.parent);
    const chain = parent === undefined ? "" : chainOf(type, name, parent);
    chains.set(resource, chain);
    if (chain === "") return undefined;
    const former = `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${chain}::${name}`;
    return { props, opts: { ...opts, aliases: [...(opts.aliases ?? []), former] } };
  };
}
