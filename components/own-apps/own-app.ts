import { createHmac } from "node:crypto";
import { join } from "node:path";
import { parseEnv } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import type { App } from "../apps/app";
import { tagOf } from "../images";
import type { Mirrors } from "../mirrors";
import { type PathRule, type Route, edgeNetwork, hostOf } from "../routes";
import type { ReleaseSource } from "../stack/release";
import { type ComposeFile, readComposeFile } from "./compose-file";
import { type AppFolder, kindAt, textAt, tooLarge } from "./folder";
import type { Part } from "./interpolate";
import { type Fault, type Manifest, readManifest, yamlFile } from "./manifest";
import { type WalledService, upstreamOf, walledService } from "./service";
import { pathWithin, volumeFaults } from "./volumes";

/** Names of compose files, in the order in which Docker Compose looks for them. */
const composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** What an App of one's own needs of the stack. */
export interface OwnAppContext {
  /** Time zone of its containers, as in tz's database. */
  readonly timeZone: string;
  /** From where its images come. @default from where each is published */
  readonly mirrors?: Mirrors | undefined;
}

/** Secrets of an App: those that the operator gave, and a key that makes the others, the same at every `up`. */
export interface OwnAppSecrets {
  readonly given: pulumi.Output<Readonly<Record<string, string>>>;
  readonly key: pulumi.Output<string>;
  /** The stack's, which may be known only once the host has its address. */
  readonly domain: pulumi.Output<string>;
}

/** An App of one's own whose files have no fault. */
export interface OwnApp {
  readonly name: string;
  /** As a fault names it. */
  readonly title: string;
  readonly subdomain: string;
  /** Its title for people. */
  readonly calledAs: string;
  /** Names of its secrets. */
  readonly secrets: readonly string[];
  /** Its compose file, as a fault names it. */
  readonly file: string;
  readonly services: readonly string[];
  /** Name by which Caddy asks for it. */
  readonly upstream: string;
  /** The names that its container has for Caddy, each with the key of the compose file that it comes from. */
  readonly names: readonly { readonly key: string; readonly name: string }[];
  readonly open: (secrets: OwnAppSecrets) => App;
}

/** Reads an App's folder. Pure but for the files. */
export function readOwnApp(folder: AppFolder, { timeZone, mirrors }: OwnAppContext): OwnApp | readonly Fault[] {
  const at = (path: string) => textAt(folder.path, path);
  const manifestText = at("app.yaml");
  const file = composeFiles.find((name) => at(name) !== undefined);
  if (manifestText === undefined || file === undefined)
    return [
      ...(manifestText === undefined ? [{ file: "app.yaml", key: "", fault: "is missing" }] : []),
      ...(file === undefined ? [{ file: "compose.yaml", key: "", fault: "is missing" }] : []),
    ];
  const manifest = readManifest("app.yaml", manifestText);
  const data = yamlFile(file, at(file) ?? "");
  const { compose, faults } =
    "faults" in data ? { compose: undefined, faults: data.faults } : readComposeFile(file, data.value);
  if (compose === undefined || "faults" in manifest)
    return [...("faults" in manifest ? manifest.faults : []), ...faults];

  const { value } = manifest;
  const front = value.service ?? Object.keys(compose.services)[0] ?? "";
  const shape = { folder, file, manifest: value, compose, front, timeZone, mirrors };
  const tried = services(shape, "example.com");
  const found = [...manifestFaults(value, compose, front), ...tried.faults];
  const paths = Object.values(
    Object.assign({}, ...tried.services.map(({ mounted }) => mounted)) as Record<string, string>,
  );
  if (found.length === 0 && tooLarge(folder.path, paths))
    found.push({
      file,
      key: "",
      fault: "mounts or builds files of more than 8 MiB, which a release cannot carry: make an image of them",
    });
  if (found.length > 0) return found;
  return {
    name: folder.name,
    title: folder.title,
    subdomain: value.subdomain ?? folder.name,
    calledAs: value.title,
    secrets: value.secrets,
    file,
    services: tried.services.map(({ name }) => name),
    upstream: upstreamOf(folder.name, front),
    names: tried.services.flatMap(({ name, hostname }) => {
      if (name !== front) return [];
      const key = `services.${name}`;
      // Docker answers to service and host name by itself.
      const all = [upstreamOf(folder.name, name), name].map((one) => ({ key, name: one }));
      return hostname === undefined ? all : [...all, { key: `${key}.hostname`, name: hostname }];
    }),
    open: (secrets) => open(shape, tried.services, secrets),
  };
}

interface Shape {
  readonly folder: AppFolder;
  readonly file: string;
  readonly manifest: Manifest;
  readonly compose: ComposeFile;
  readonly front: string;
  readonly timeZone: string;
  readonly mirrors: Mirrors | undefined;
}

/** Keys of app.yaml that do not fit the compose file. */
function manifestFaults(
  { memory, dumps, drill, login, secrets, service, volumes }: Manifest,
  compose: ComposeFile,
  front: string,
): Fault[] {
  const services = Object.keys(compose.services);
  const unknown = (key: string, names: readonly string[]) =>
    names
      .filter((name) => !services.includes(name))
      .map((name) => ({ file: "app.yaml", key, fault: `names ${name}, which is not a service of the compose file` }));
  return [
    ...unknown("service", [front]),
    ...(service === undefined && services.length > 1
      ? [
          {
            file: "app.yaml",
            key: "service",
            fault: `is missing: the compose file has ${services.join(", ")}, and Caddy reaches one of them`,
          },
        ]
      : []),
    ...volumeFaults(volumes, compose.volumes),
    ...unknown("memory", typeof memory === "number" ? [] : Object.keys(memory)),
    ...unknown("dumps", Object.keys(dumps)),
    ...unknown("drill.without", drill.without),
    ...(login !== undefined && !secrets.includes(login.secret)
      ? [{ file: "app.yaml", key: "login.secret", fault: "is not one of secrets" }]
      : []),
  ];
}

/** Every service within its walls, for a domain. */
function services({ folder, file, manifest, compose, front, timeZone, mirrors }: Shape, domain: string) {
  const faults: Fault[] = [];
  const host = hostOf({ subdomain: manifest.subdomain ?? folder.name }, domain);
  const plain = {
    TZ: timeZone,
    CLOUDCODE_HOST: host,
    CLOUDCODE_URL: `https://${host}`,
    ...Object.fromEntries(Object.entries(manifest.environment).map(([name, value]) => [name, String(value)])),
  };
  const walled = Object.entries(compose.services).map(([name, service]) =>
    walledService(name, service, {
      app: folder.name,
      manifest,
      variables: { plain, secrets: new Set(manifest.secrets) },
      timeZone,
      mirrors,
      front: name === front,
      services: Object.keys(compose.services),
      networks: Object.keys(compose.networks),
      listed: compose.volumes,
      renamed: manifest.volumes,
      kindAt: (path) => kindAt(folder.path, path),
      envFile: (path) => {
        const within = pathWithin(path);
        const text = within === undefined ? undefined : textAt(folder.path, within);
        return text === undefined ? undefined : (parseEnv(text) as Record<string, string>);
      },
      report: (key, fault) =>
        faults.push({ file, key: ["services", name, ...(key === "" ? [] : [key])].join("."), fault }),
    }),
  );
  return { services: walled, faults };
}

function open(shape: Shape, tried: readonly WalledService[], { given, key, domain }: OwnAppSecrets): App {
  const { folder, manifest, compose, front } = shape;
  const { name } = folder;
  const network = edgeNetwork(name);
  const subdomain = manifest.subdomain ?? name;
  const route: Route = {
    subdomain,
    network,
    upstream: `${upstreamOf(name, front)}:${manifest.port}`,
    policy: manifest.policy,
    paths: manifest.paths.map((rule): PathRule => {
      if (rule.policy !== "bypass" || !rule.crossOrigin) return { path: rule.path, policy: rule.policy };
      return { path: rule.path, policy: rule.policy, crossOrigin: true };
    }),
    title: manifest.title,
    version: tagOf(compose.services[front]?.image ?? ""),
    summary: manifest.summary ?? { en: manifest.title, zh: manifest.title },
  };
  // A text may hold a secret and the domain, which a preview may not know yet.
  const placed = domain.apply((at) => textsWithSecrets(services(shape, at).services));
  const filled = (parts: pulumi.Input<readonly Part[]>) =>
    pulumi.secret(
      pulumi
        .all([parts, given, key])
        .apply(([pieces, own, from]) =>
          pieces
            .map((part) => ("text" in part ? part.text : (own[part.secret] ?? derived(from, name, part.secret))))
            .join(""),
        ),
    );
  const composed = Object.keys(textsWithSecrets(tried)).map(
    (variable) => [variable, filled(placed.apply((texts) => texts[variable] ?? []))] as const,
  );
  const login = manifest.login && { secret: `login-${manifest.login.secret}`, from: manifest.login.secret };
  return {
    name,
    onlyOnce: manifest.onlyOnce,
    routes: [route],
    release: (domain) => releaseOf(shape, services(shape, domain).services),
    secrets: {
      ...Object.fromEntries(composed),
      ...(login && { [login.secret]: filled([{ secret: login.from }]) }),
    },
    ...(login && manifest.login && { login: { username: manifest.login.username, secret: login.secret } }),
  };
}

function textsWithSecrets(walled: readonly WalledService[]): Record<string, readonly Part[]> {
  return Object.assign({}, ...walled.map(({ secrets }) => secrets)) as Record<string, readonly Part[]>;
}

function releaseOf({ folder, manifest, compose }: Shape, walled: readonly WalledService[]): ReleaseSource {
  const network = edgeNetwork(folder.name);
  const mounted = Object.assign({}, ...walled.map((one) => one.mounted)) as Record<string, string>;
  const volumes = walled.flatMap((one) => one.volumes);
  return {
    template: "own-app",
    also: Object.fromEntries(Object.entries(mounted).map(([place, path]) => [place, join(folder.path, path)])),
    values: {
      services: walled.map(({ values }) => values),
      volumes: Object.fromEntries(volumes.map((volume) => [volume, {}])),
      networks: { default: {}, ...compose.networks, edge: { name: network, external: true } },
    },
    plan: {
      networks: [network],
      build: walled.flatMap(({ built, name }) => (built ? [name] : [])),
      dumps: walled.flatMap(({ dump }) => (dump ? [dump] : [])),
      ...(manifest.drill.without.length > 0 && { drill: { without: manifest.drill.without } }),
      healthTimeout: 300,
    },
  };
}

/** A secret that no state holds: the same as long as the stack's key is, also when the App was switched off in between. */
function derived(key: string, app: string, secret: string): string {
  return createHmac("sha256", key).update(`own App\0${app}\0${secret}`).digest("hex").slice(0, 48);
}
