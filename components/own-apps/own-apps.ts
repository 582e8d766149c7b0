import * as pulumi from "@pulumi/pulumi";
import type { App } from "../apps/app";
import { appKinds } from "../apps/registry";
import { notifierName } from "../notify/notifier-release";
import { OperatorError } from "../operator-error";
import { type Route, portalAlias, portalSubdomain } from "../routes";
import { subdomain } from "../settings/checks";
import { appFolder } from "./folder";
import type { Fault } from "./manifest";
import { type OwnApp, type OwnAppSecrets, readOwnApp } from "./own-app";
import { upstreamOf } from "./service";
import { type OwnAppSettings, secretsByApp } from "./secrets";

/**
 * Reads the Apps of one's own, before anything is touched.
 *
 * @param others the Apps that cloudcode brings, whose subdomains are taken
 * @param project folder of the Pulumi project
 * @returns what makes them Apps, once the key of their secrets and the domain are there
 * @throws OperatorError that lists every fault of every file
 */
export function readOwnApps(
  { sources, secrets, secretNames, timeZone, mirrors }: OwnAppSettings,
  others: readonly Pick<App, "name" | "routes">[],
  project: string,
): (stack: Pick<OwnAppSecrets, "key" | "domain">) => App[] {
  const folders = sources.map((source) => appFolder(source, project));
  const read = folders.map((folder) => ({ folder, app: readOwnApp(folder, { timeZone, mirrors }) }));
  const faults = read.flatMap(({ folder, app }) =>
    [
      ...nameFaults(folder.name, folders.filter(({ name }) => name === folder.name).length),
      ...(isFaults(app) ? app : []),
    ].map((fault) => ({ title: folder.title, ...fault })),
  );
  const apps = read.flatMap(({ app }) => (isFaults(app) ? [] : [app]));
  const all = [
    ...faults,
    ...takenFaults(apps, others),
    ...upstreamFaults(apps, others),
    ...containerFaults(apps),
    ...secretFaults(
      apps,
      folders.map(({ name }) => name),
      secretNames,
    ),
  ];
  if (all.length > 0) throw new OperatorError(describe(all));
  const parsed = (secrets ?? pulumi.secret("{}")).apply(secretsByApp);
  return (stack) => apps.map((app) => app.open({ ...stack, given: parsed.apply((byApp) => byApp[app.name] ?? {}) }));
}

interface TitledFault extends Fault {
  readonly title: string;
}

function isFaults(app: OwnApp | readonly Fault[]): app is readonly Fault[] {
  return Array.isArray(app);
}

function nameFaults(name: string, times: number): Fault[] {
  const fault = nameFault(name);
  return [
    ...(fault === undefined ? [] : [{ file: "", key: "", fault }]),
    ...(times > 1 ? [{ file: "", key: "", fault: "has the name of another App of ownApps" }] : []),
  ];
}

/** A subdomain leads to one App, and outputs, `ops open` and the index page call an App by its title. */
function takenFaults(apps: readonly OwnApp[], others: readonly Pick<App, "name" | "routes">[]): TitledFault[] {
  const taken = (
    key: "subdomain" | "title",
    more: readonly (readonly [string, string])[],
    of: (app: OwnApp) => string,
  ) => {
    const all = others.flatMap(({ name, routes }) => routes.map((route) => [route[key].toLowerCase(), name] as const));
    const owners = new Map<string, string>([...all, ...more]);
    return apps.flatMap((app) => {
      const value = of(app);
      const owner = owners.get(value.toLowerCase());
      owners.set(value.toLowerCase(), app.name);
      const fault = `is ${value}, which is already the ${key} of ${owner ?? ""}`;
      return owner === undefined ? [] : [{ title: app.title, file: "app.yaml", key, fault }];
    });
  };
  return [
    ...taken("subdomain", [[portalSubdomain, "the sign-in portal"]], ({ subdomain }) => subdomain),
    ...taken("title", [], ({ calledAs }) => calledAs),
  ];
}

/** Caddy looks a name up in the networks of all Apps: a container with the name of another's would get that one's visitors. */
function upstreamFaults(apps: readonly OwnApp[], others: readonly Pick<App, "name" | "routes">[]): TitledFault[] {
  const owners: (readonly [string, string])[] = [
    [portalAlias, "the sign-in portal"],
    ...others.flatMap(({ name, routes }) => routes.flatMap(hostsOf).map((host) => [host, name] as const)),
    ...apps.map(({ name, upstream }) => [upstream, name] as const),
  ];
  return apps.flatMap((app) =>
    app.names.flatMap(({ key, name }) => {
      const owner = owners.find(([host, of]) => host === name.toLowerCase() && of !== app.name)?.[1];
      const fault = name.includes(".")
        ? "has a dot in its name, as servers elsewhere have, for which Caddy could take it: rename it"
        : `has the name ${name}, by which Caddy finds ${owner ?? ""}: rename it`;
      return owner === undefined && !name.includes(".") ? [] : [{ title: app.title, file: app.file, key, fault }];
    }),
  );
}

/** Docker Compose calls a container cloudcode-APP-SERVICE-1, and Docker has one of a name. */
function containerFaults(apps: readonly OwnApp[]): TitledFault[] {
  const stacks = [...reserved, ...appKinds.map(({ name }) => name), ...apps.map(({ name }) => name)];
  return apps.flatMap(({ title, file, name, services }) =>
    services.flatMap((service) => {
      const other = stacks.find((one) => one.startsWith(`${name}-`) && upstreamOf(name, service).startsWith(`${one}-`));
      const fault = `gets a container with a name as those of ${other ?? ""} have: rename it`;
      return other === undefined ? [] : [{ title, file, key: `services.${service}`, fault }];
    }),
  );
}

/** Names by which Caddy asks for what answers a Route. */
function hostsOf({ upstream, paths }: Route): string[] {
  const more = paths.flatMap((path) => [
    path.upstream ?? upstream,
    ...(path.healthOf ?? []).map((one) => one.upstream),
  ]);
  return [upstream, ...more].map((address) => address.replace(/:.*/, ""));
}

/** A secret that no App asks for has a typing error in its name. */
function secretFaults(
  apps: readonly OwnApp[],
  names: readonly string[],
  given: Readonly<Record<string, readonly string[]>> | undefined,
): TitledFault[] {
  return Object.entries(given ?? {}).flatMap(([app, secrets]) => {
    const fault = (text: string) => ({ title: "ownAppSecrets", file: "", key: app, fault: text });
    if (!names.includes(app)) return [fault("is not the name of an App of ownApps")];
    const known = apps.find(({ name }) => name === app);
    if (known === undefined) return [];
    return secrets
      .filter((secret) => !known.secrets.includes(secret))
      .map((secret) => fault(`has ${secret}, which secrets of its app.yaml does not list`));
  });
}

function describe(faults: readonly TitledFault[]): string {
  const count = faults.length === 1 ? "1 problem" : `${faults.length} problems`;
  const lines = faults.map(
    ({ title, file, key, fault }) =>
      `  ${[[title, file].filter(Boolean).join("/"), key, fault].filter(Boolean).join(" ")}`,
  );
  return `the Apps of your own have ${count}; nothing was touched.\n${lines.join("\n")}\n    docs/own-apps.md has an example`;
}

/** Stacks of cloudcode itself, whose names index.ts gives, and folders next to them on the host. */
const reserved = ["auth", "edge", "docker", notifierName, "notifier", "host", "home"];

function nameFault(name: string): string | undefined {
  if (!/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/.test(name))
    return "has a name that is not 2 to 32 lower-case letters, digits and hyphens";
  if (reserved.includes(name) || appKinds.some((kind) => kind.name === name))
    return "has the name of a part of cloudcode: rename its folder";
  const label = subdomain.safeParse(name);
  if (!label.success) return `${label.error.issues[0]?.message ?? ""}: rename its folder`;
  // A drill of NAME is Docker Compose's project cloudcode-drill-NAME (stack-templates/host/backup-drill-stack.sh).
  if (name.startsWith("drill-"))
    return "has a name that begins with drill-, as drills of backups do: rename its folder";
  return undefined;
}
