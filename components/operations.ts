import * as pulumi from "@pulumi/pulumi";
import type { App } from "./apps/app";
import type { ConnectionParts, Host } from "./host/host";
import { notifierName } from "./notify/notifier-release";
import { isDetected } from "./host/free-name";
import { type Route, hostOf } from "./routes";
import type { Person } from "./settings/people";
import type { Settings } from "./settings/settings";

/** What `npm run ops` needs to know of a stack, in addition to the other outputs. */
export interface Operations {
  readonly connection: Pick<ConnectionParts, "host" | "port" | "user" | "privateKey" | "hostKey">;
  /** False while the machine is switched off. */
  readonly awake: boolean;
  readonly domain: string;
  /** Where the names of the stack point to. */
  readonly publicAddress: string;
  /** Not everybody may connect to the sites: setting `webCidrs`. */
  readonly limited?: true | undefined;
  /** The host announces the address that the provider of its name sees, which the program does not know. */
  readonly announcesItself?: true | undefined;
  readonly operator: string;
  /** Who else has an account; undefined: nobody. */
  readonly people?: readonly Pick<Person, "name" | "mail">[] | undefined;
  /** Mail address that one-time codes go to; undefined: they stand in a file on the host. */
  readonly codesTo: string | undefined;
  /** Names of the ComposeStacks. */
  readonly stacks: readonly string[];
  /** Those of them whose data may be in use on one host only; undefined: none. */
  readonly onlyOnce?: readonly string[] | undefined;
  readonly sites: readonly Site[];
  /** Sites of dev servers, which a guest may be let into; undefined: none. */
  readonly previews?: readonly Preview[] | undefined;
}

/** A site of a dev server. */
export interface Preview {
  /** Port of localhost where the dev server listens. */
  readonly port: number;
  readonly host: string;
}

/** A host name of the stack, as a visitor sees it. */
export interface Site {
  readonly title: string;
  readonly host: string;
  /** Whether anybody may see it without signing in. */
  readonly open: boolean;
}

/** The one secret output that holds all of it, since an SSH key is among it. */
export function operations(
  host: Host,
  settings: Pick<Settings, "operator" | "people" | "mail" | "freeName" | "news" | "domainAddress" | "target">,
  routes: readonly Route[],
  apps: readonly Pick<App, "name" | "onlyOnce">[],
  domain: pulumi.Output<string>,
): pulumi.Output<Operations> {
  const { operator, people, mail, freeName, news, domainAddress, target } = settings;
  const { webCidrs } = target.kind === "existing" ? target : target.network;
  const names = (some: typeof apps) => some.map((app) => app.name);
  const previews = (name: string): Preview[] =>
    routes.flatMap((route) =>
      route.localPort === undefined ? [] : [{ port: route.localPort, host: hostOf(route, name) }],
    );
  const onlyOnce = names(apps.filter((app) => app.onlyOnce));
  return pulumi.secret(
    pulumi
      .all([host.connection, domainAddress ?? host.publicAddress, domain])
      .apply(([connection, publicAddress, name]) => ({
        connection: {
          host: connection.host,
          port: connection.port,
          user: connection.user,
          privateKey: connection.privateKey,
          hostKey: connection.hostKey,
        },
        awake: host.poweredOn,
        domain: name,
        publicAddress,
        ...(webCidrs.length > 0 && { limited: true as const }),
        ...(freeName && domainAddress === undefined && isDetected(publicAddress) && { announcesItself: true as const }),
        operator: operator.username,
        ...(people && { people: people.map(({ name: person, mail: address }) => ({ name: person, mail: address })) }),
        codesTo: mail && (operator.email ?? `${operator.username}@${name}`),
        stacks: ["auth", "edge", ...names(apps), ...(news ? [notifierName] : [])],
        ...(onlyOnce.length > 0 && { onlyOnce }),
        sites: routes.map((route) => ({
          title: route.title,
          host: hostOf(route, name),
          open: route.policy === "bypass" && route.basicAuth === undefined,
        })),
        ...(previews(name).length > 0 && { previews: previews(name) }),
      })),
  );
}
