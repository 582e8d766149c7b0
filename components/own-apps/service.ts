import { posix } from "node:path";
import { composeText } from "../stack/escape";
import { type Mirrors, mirroredImage } from "../mirrors";
import type { TemplateValue, TemplateValues } from "../stack/template";
import type { Service } from "./compose-file";
import { type Dump, dumpOf, dumpScript } from "./databases";
import { imageFault } from "./image";
import { type Part, plainText } from "./interpolate";
import type { Manifest } from "./manifest";
import { type Texts, partsOf, textOf, valueOf } from "./texts";
import { type Mountable, mountOf, pathWithin } from "./volumes";

/** What is left of Docker's default capabilities: an image may begin as root and then drop to a user of its own. */
const kept = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/** What a service may have in addition. The rest reaches the network or the machine. */
const addable = ["FSETID", "SETFCAP", "SETPCAP", "SYS_CHROOT"];

/** Keys that pass as they are. */
const passed = [
  "command",
  "entrypoint",
  "healthcheck",
  "user",
  "group_add",
  "working_dir",
  "tmpfs",
  "read_only",
  "init",
  "stop_signal",
  "stop_grace_period",
  "shm_size",
  "ulimits",
  "cpus",
  "depends_on",
] as const satisfies readonly (keyof Service)[];

/** A service within its walls, as stack-templates/own-app/compose.yaml.hbs takes it. */
export interface WalledService {
  readonly name: string;
  readonly values: TemplateValues;
  /** Texts of the environment that hold secrets, by the name that the template asks for. */
  readonly secrets: Readonly<Record<string, readonly Part[]>>;
  /** Volumes that it uses. */
  readonly volumes: readonly string[];
  /** Path in the release to path in the App's folder. */
  readonly mounted: Readonly<Record<string, string>>;
  readonly built: boolean;
  readonly hostname: string | undefined;
  readonly dump: Dump | undefined;
}

/** What is known of the rest of the App. */
export interface Surroundings extends Mountable, Texts {
  readonly app: string;
  readonly manifest: Manifest;
  readonly timeZone: string;
  readonly mirrors: Mirrors | undefined;
  /** Whether Caddy reaches this one. */
  readonly front: boolean;
  readonly services: readonly string[];
  readonly networks: readonly string[];
  /** Variables of an env file of the App's folder; undefined where there is none. */
  readonly envFile: (path: string) => Readonly<Record<string, string>> | undefined;
}

/** Name by which Caddy asks for a service. */
export const upstreamOf = (app: string, service: string) => `${app}-${service}`;

/** Puts a service within its walls, and reports what is in the way. */
export function walledService(name: string, service: Service, around: Surroundings): WalledService {
  const { report, manifest } = around;
  const text = (key: string, value: string) => textOf(key, value, around);
  const image = service.image === undefined ? undefined : text("image", service.image);
  const context = service.build && pathWithin(service.build.context);
  if (service.build && (context === undefined || around.kindAt(context) !== "folder"))
    report("build", "does not name a folder below the App's");
  else if (service.build && context !== undefined) {
    const named = text("build.dockerfile", service.build.dockerfile ?? "Dockerfile");
    const dockerfile = pathWithin(named);
    if (dockerfile === undefined || around.kindAt(posix.join(context, dockerfile)) !== "file")
      report("build.dockerfile", `names ${named}, which the folder of build does not have`);
  }
  if (!service.build && image === undefined) report("", "has neither image nor build");
  const wrong = service.build || image === undefined ? undefined : imageFault(image);
  if (wrong !== undefined) report("image", wrong);

  const mounts = service.volumes.flatMap((entry, index) => {
    const key = `volumes[${index}]`;
    const resolved =
      typeof entry === "string"
        ? text(key, entry)
        : {
            ...entry,
            target: text(key, entry.target),
            ...(entry.source !== undefined && { source: text(key, entry.source) }),
          };
    const mount = mountOf(resolved, around);
    if (typeof mount === "string") report(key, mount);
    return mount === undefined || typeof mount === "string" ? [] : [mount];
  });
  const targets = mounts.map(({ target }) => posix.resolve(target));
  const twice = targets.find((target, index) => targets.indexOf(target) < index);
  if (twice !== undefined) report("volumes", `has two mounts at ${twice}`);
  const volumes = mounts.flatMap((mount) => (mount.type === "volume" ? [mount] : []));
  const carried = mounts.flatMap((mount, index) => {
    if (mount.type !== "file" && mount.type !== "folder") return [];
    const place = `mounts/${name}-${index}`;
    const path = mount.type === "file" ? `${place}/${posix.basename(mount.path)}` : `${place}/`;
    return [{ place: path.replace(/\/$/, ""), from: mount.path, path, target: mount.target }];
  });

  const dump = dumpOf(name, image ?? "", volumes, manifest.dumps[name]);
  if (typeof dump === "string") report("image", dump);
  const dumped = typeof dump === "string" ? undefined : dump;
  const script = dumped?.script === undefined ? [] : [{ path: dumped.script, target: dumpScript }];

  wrongNames(service, around);
  const { environment, secrets } = environmentOf(name, service, around);
  const hostname = service.hostname === undefined ? undefined : text("hostname", service.hostname);
  const limit = `${typeof manifest.memory === "number" ? manifest.memory : (manifest.memory[name] ?? 512)}m`;
  const keys: Record<string, TemplateValue> = {
    ...(image !== undefined && !service.build && { image: composeText(mirroredImage(image, around.mirrors)) }),
    ...(around.front && { healthcheck: healthcheckOf(manifest) }),
    ...Object.fromEntries(
      passed.flatMap((key) => (service[key] === undefined ? [] : [[key, valueOf(key, service[key], around)] as const])),
    ),
    hostname: hostname === undefined ? undefined : composeText(hostname),
    restart: restartOf(service.restart === undefined ? undefined : text("restart", service.restart)),
    cap_drop: ["ALL"],
    cap_add: capabilitiesOf(service, text("user", String(service.user ?? "root"))),
    security_opt: ["no-new-privileges:true"],
    mem_limit: limit,
    memswap_limit: limit,
    pids_limit: 1024,
    oom_score_adj: 500,
    networks: networksOf(name, service, around),
  };
  const listed = mounts.flatMap((mount): TemplateValue[] => {
    if (mount.type === "tmpfs") return [{ type: mount.type, target: composeText(mount.target) }];
    if (mount.type !== "volume") return [];
    return [{ type: mount.type, source: mount.source, target: composeText(mount.target), read_only: mount.readOnly }];
  });
  const files = [...carried.map(({ path, target }) => ({ path, target: composeText(target) })), ...script];
  const place = `mounts/${name}-build`;
  return {
    name,
    values: {
      name,
      keys: Object.entries(keys)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => ({ key, value })),
      build: service.build && {
        folder: `${place}/`,
        image: `cloudcode/${around.app}-${name}`,
        keys: Object.entries(service.build)
          .filter(([key, value]) => key !== "context" && value !== undefined)
          .map(([key, value]) => ({ key, value: valueOf(`build.${key}`, value, around) })),
      },
      environment,
      mounts: listed.length + files.length > 0,
      volumes: listed,
      files,
    },
    secrets,
    volumes: volumes.map(({ source }) => source),
    mounted: {
      ...Object.fromEntries(carried.map(({ place: at, from }) => [at, from])),
      ...(context !== undefined && { [place]: context }),
    },
    built: service.build !== undefined,
    hostname,
    dump: dumped?.dump,
  };
}

function environmentOf(name: string, service: Service, around: Surroundings) {
  const files = service.env_file.map(({ path, required }) => {
    const read = around.envFile(path);
    if (read === undefined && required)
      around.report("env_file", `names ${path}, which the App's folder does not have`);
    return Object.fromEntries(Object.entries(read ?? {}).map(([key, value]) => [key, composeText(value)]));
  });
  const given = [{ TZ: around.timeZone }, ...files, service.environment].reduce<Record<string, string | null>>(
    (all, one) => ({ ...all, ...one }),
    {},
  );
  for (const variable of Object.keys(given))
    // What a shell, Compose and every runtime read as a name; Java's programs have dots and dashes.
    if (!/^[A-Za-z_][\w.-]*$/.test(variable))
      around.report("environment", `has ${JSON.stringify(variable)}, which is not a name such as DB_PASSWORD`);
  const secrets: Record<string, readonly Part[]> = {};
  const environment = Object.entries(given).map(([variable, value]) => {
    // A name without a value is the variable of that name.
    const parts = partsOf(`environment.${variable}`, value ?? `\${${variable}}`, around);
    const plain = plainText(parts);
    if (plain !== undefined) return { name: variable, value: composeText(plain), secret: "" };
    const secret = `${name}-${variable}`;
    secrets[secret] = parts;
    return { name: variable, value: "", secret };
  });
  return { environment, secrets };
}

function wrongNames(service: Service, { services, networks, report }: Surroundings): void {
  for (const other of Object.keys(service.depends_on))
    if (!services.includes(other)) report("depends_on", `names ${other}, which is not a service of the file`);
  for (const network of Object.keys(service.networks ?? {}))
    if (network !== "default" && !networks.includes(network))
      report("networks", `names ${network}, which networks at the end of the file does not list`);
  for (const capability of service.cap_add)
    if (![...kept, ...addable].includes(capability))
      report("cap_add", `adds ${capability}, which reaches beyond the container: remove it`);
}

function networksOf(name: string, service: Service, { app, front }: Surroundings): TemplateValues {
  const own = Object.entries(service.networks ?? { default: null });
  return {
    ...Object.fromEntries(own.map(([network, options]) => [network, { aliases: options?.aliases ?? [] }])),
    ...(front && { edge: { aliases: [upstreamOf(app, name)] } }),
  };
}

/** A container that runs as a user of its own from the start needs none. */
function capabilitiesOf({ cap_add, cap_drop }: Service, user: string): string[] {
  if (cap_drop.includes("ALL")) return cap_add;
  const root = /^(0|root)(:|$)/.test(user);
  return [...(root ? kept : []), ...cap_add].filter(
    (one, at, all) => all.indexOf(one) === at && !cap_drop.includes(one),
  );
}

/** What runs once and ends, such as a migration, is not started again. */
function restartOf(restart: string | undefined): string {
  return restart === "no" || restart?.startsWith("on-failure") === true ? restart : "unless-stopped";
}

/** By what the image has: wget or curl. */
function healthcheckOf({ health, port }: Manifest): TemplateValue {
  if (health === undefined) return undefined;
  const url = `http://127.0.0.1:${port}${health}`;
  return {
    test: ["CMD-SHELL", `wget -q -O /dev/null ${url} || curl -fsS -o /dev/null ${url}`],
    interval: "30s",
    timeout: "10s",
    retries: 3,
    start_period: "120s",
    start_interval: "2s",
  };
}
