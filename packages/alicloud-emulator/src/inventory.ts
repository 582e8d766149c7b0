import type { State } from "./state";

/** One thing that exists in the account. */
export interface Item {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  /** Empty for what has none. */
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Everything that exists; what is only part of another resource (rules, IPv6 addresses) is not listed. */
export function inventory(state: State): Item[] {
  const { vpcs, vswitches, ipv6Gateways, securityGroups, keyPairs, instances, disks, snapshots, policies, eips } =
    state;
  const { buckets, ramUsers, ramPolicies } = state;
  const kinds = {
    vpcs,
    vswitches,
    ipv6Gateways,
    securityGroups,
    keyPairs,
    instances,
    disks,
    snapshots,
    policies,
    eips,
    buckets,
    ramUsers,
    ramPolicies,
  };
  const items = Object.entries(kinds).flatMap(([kind, map]) =>
    [...map.values()].map((one) => ({
      kind,
      id: one.id,
      name: "name" in one ? one.name : one.id,
      status: "status" in one ? one.status : "",
      tags: one.tags,
    })),
  );
  const records = [...state.records.values()].map(({ id, rr, type, domain, value, enabled }) => ({
    kind: "records",
    id,
    name: `${rr}.${domain} ${type} ${value}`,
    tags: {},
    status: enabled ? "ENABLE" : "DISABLE",
  }));
  return [...items, ...records];
}
