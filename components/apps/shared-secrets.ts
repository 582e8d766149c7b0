import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { App } from "./app";

/** The shared secrets of an App, by its own names for them. */
export type SharedSecrets = (app: Pick<App, "shared">) => Record<string, pulumi.Output<string>>;

/** The secrets that Apps have for the edge alone, by name. */
export function edgeSecrets(
  apps: readonly Pick<App, "edge">[],
  shared: SharedSecrets,
): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    apps.flatMap(({ edge }) => (edge ? Object.entries({ ...edge.secrets, ...shared(edge) }) : [])),
  );
}

/** Makes the secrets that Apps share: 48 letters and digits each. */
export function sharedSecrets(apps: readonly Pick<App, "shared">[], parent: pulumi.Resource): SharedSecrets {
  const names = new Set(apps.flatMap(({ shared = {} }) => Object.values(shared)));
  const made = new Map(
    [...names].map((name) => [
      name,
      new random.RandomPassword(`shared-${name}`, { length: 48, special: false }, { parent }).result,
    ]),
  );
  return ({ shared = {} }) =>
    Object.fromEntries(
      Object.entries(shared).flatMap(([own, name]) => {
        const secret = made.get(name);
        return secret === undefined ? [] : [[own, secret] as const];
      }),
    );
}
