import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { edgeNetwork } from "../../components/routes";
import type { ReleaseFile } from "../../components/stack/release";
import type { RenderedApp } from "./rendered-app";

const texts = z.array(z.string());
const networkOf = z.object({ aliases: texts.default([]) }).nullable();
const serviceSchema = z.looseObject({
  image: z.string().optional(),
  build: z.unknown().optional(),
  restart: z.string().optional(),
  mem_limit: z.string().optional(),
  cap_drop: texts.default([]),
  cap_add: texts.default([]),
  security_opt: texts.default([]),
  healthcheck: z.looseObject({ test: texts.default([]), disable: z.boolean().default(false) }).optional(),
  networks: z.union([texts, z.record(z.string(), networkOf)]).default([]),
  network_mode: z.string().optional(),
  environment: z.record(z.string(), z.unknown()).default({}),
  volumes: z.array(z.union([z.string(), z.looseObject({ type: z.string(), source: z.string() })])).default([]),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).default({}),
});
type Service = z.infer<typeof serviceSchema>;

const projectSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()).default({}),
  networks: z
    .record(z.string(), z.looseObject({ name: z.string().optional(), external: z.boolean().default(false) }).nullable())
    .default({}),
  secrets: z.undefined().optional(),
});

/** A compose file as Docker Compose reads it. @throws Error for YAML that is not strict, and for a `$` that would be replaced */
export function composeOf(text: string): unknown {
  const value: unknown = parse(text, { strict: true, uniqueKeys: true, merge: true });
  return mapTexts(value, (one) => {
    if (one.replaceAll("$$", "").includes("$")) throw new Error(`Docker Compose would replace the $ of ${one}`);
    return one.replaceAll("$$", "$");
  });
}

/** The documents of any other YAML file. @throws Error for YAML that is not strict */
export function yamlOf(text: string): unknown[] {
  return parseAllDocuments(text, { strict: true, uniqueKeys: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/** A value with every text, keys among them, put through a function. */
export function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === "string") return map(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [map(key), mapTexts(one, map)]));
}

/** What an App breaks of the promises that hold for every App, one sentence each. */
export function appFaults(rendered: RenderedApp): string[] {
  const compose = rendered.release.files.find(({ path }) => path === "compose.yaml");
  if (compose === undefined) return ["it has no compose.yaml"];
  const project = projectSchema.safeParse(composeOf(compose.content));
  if (!project.success)
    return project.error.issues.map(({ path, message }) => `compose.yaml: ${path.join(".")} ${message}`);
  const { services, volumes, networks } = project.data;
  const edge = edgeNetwork(rendered.app.name);
  const outside = Object.values(networks).flatMap((network) => (network?.external ? [network.name ?? ""] : []));
  return [
    ...Object.entries(services).flatMap(([name, service]) =>
      serviceFaults(name, service, rendered, Object.keys(volumes), services).map((fault) => `${name} ${fault}`),
    ),
    ...outside.filter((name) => name !== edge).map((name) => `it joins ${name}, a network that is not its own`),
    ...routeFaults(rendered, services, networks),
    ...secretFaults(rendered),
  ];
}

function serviceFaults(
  name: string,
  service: Service,
  { app, release }: RenderedApp,
  volumes: readonly string[],
  services: Readonly<Record<string, Service>>,
): string[] {
  const { image = "", restart, healthcheck, networks } = service;
  const waitedFor = Object.values(services).some(
    ({ depends_on }) => depends_on[name]?.condition === "service_completed_successfully",
  );
  const aliases = Array.isArray(networks) ? [] : (networks["edge"]?.aliases ?? []);
  const ofHost = ["privileged", "pid", "ipc", "devices", "ports", "userns_mode", "volumes_from"];
  const said = (wrong: boolean, fault: string) => (wrong ? [fault] : []);
  return [
    ...said(
      !/:[\w][\w.-]*(@sha256:[0-9a-f]{64})?$/.test(image) || /:latest/.test(image),
      "has an image that is not pinned",
    ),
    ...said(
      service.build !== undefined && !/^cloudcode\/[a-z-]+:[0-9a-f]{16}$/.test(image),
      "is built, but not named by {{tag}}",
    ),
    ...said(restart !== (waitedFor ? "no" : "unless-stopped"), "does not restart, and no service waits for its end"),
    ...said(
      !waitedFor && (healthcheck?.disable !== false || healthcheck.test[0] !== "CMD"),
      "has no health check of a command",
    ),
    ...said(!/^[1-9]\d*m$/.test(service.mem_limit ?? ""), "has no memory limit in MiB"),
    ...said(service.cap_drop.join() !== "ALL", "keeps capabilities"),
    ...said(service.cap_add.length > 0, "adds capabilities"),
    ...said(service.security_opt.join() !== "no-new-privileges:true", "may gain privileges"),
    ...said(![undefined, "none"].includes(service.network_mode), "has a network of the host's"),
    ...ofHost.filter((key) => service[key] !== undefined).map((key) => `has ${key}, which lets it out of its wall`),
    ...aliases
      .filter((alias) => !alias.startsWith(`${app.name}-`))
      .map((alias) => `answers to ${alias}, a name of another App`),
    ...Object.keys(service.environment)
      .filter((key) => /SECRET|KEY|PASSWORD|HASH|TOKEN/.test(key) && !key.endsWith("_FILE"))
      .map((key) => `has ${key} in its environment, not in a file`),
    ...service.volumes.flatMap((volume) => {
      const source = typeof volume === "string" ? (volume.split(":")[0] ?? "") : volume.source;
      const path = source.replace(/^\.\//, "");
      const carried = release.files.some((file) => file.path === path || file.path.startsWith(`${path}/`));
      return said(
        !volumes.includes(source) && !carried && !path.startsWith("access/"),
        `mounts ${source}, which is of no release`,
      );
    }),
  ];
}

/** Each upstream is a name on the App's own edge network, which the plan makes. */
function routeFaults(
  { app, release }: RenderedApp,
  services: Readonly<Record<string, Service>>,
  networks: z.infer<typeof projectSchema>["networks"],
): string[] {
  const edge = edgeNetwork(app.name);
  const aliases = Object.values(services).flatMap((service) =>
    Array.isArray(service.networks) ? [] : (service.networks["edge"]?.aliases ?? []),
  );
  return app.routes.flatMap(({ network, upstream, paths, keys = [] }) => {
    const upstreams = [
      upstream,
      ...paths.flatMap((rule) => rule.upstream ?? []),
      ...keys.flatMap((rule) => rule.upstream ?? []),
    ];
    return [
      ...(network === edge && networks["edge"]?.name === edge && networks["edge"].external
        ? []
        : [`its edge network is not ${edge}`]),
      ...(release.plan.networks.includes(edge) ? [] : [`its plan does not make ${edge}`]),
      ...upstreams
        .filter((one) => !aliases.includes(one.split(":")[0] ?? ""))
        .map((one) => `no service answers as ${one}`),
    ];
  });
}

/** Each secret is in a file that nobody else may read, and only there. */
function secretFaults({ release, secrets, app }: RenderedApp): string[] {
  const carried = release.files.map((file) => ({ file, texts: textsOf(file) }));
  const outer = new Set(app.routes.flatMap(({ basicAuth }) => (basicAuth ? ["basicAuth"] : [])));
  return Object.entries(secrets).flatMap(([name, secret]) => {
    if (secret === "" || outer.has(name)) return [];
    const holders = carried.flatMap(({ file, texts }) => (texts.some((text) => text.includes(secret)) ? [file] : []));
    return [
      ...(holders.length > 0 ? [] : [`the secret ${name} is in no file as it was set`]),
      ...holders
        .filter(({ mode, path }) => mode !== 0o400 || path === "compose.yaml")
        .map(({ path }) => `the secret ${name} stands in ${path}`),
    ];
  });
}

/** The whole of a file, and each text of YAML as its reader takes it. */
function textsOf({ path, content }: ReleaseFile): string[] {
  const found = [content];
  if (!/\.ya?ml$/.test(path)) return found;
  mapTexts(path === "compose.yaml" ? composeOf(content) : yamlOf(content), (text) => {
    found.push(text);
    return text;
  });
  return found;
}
