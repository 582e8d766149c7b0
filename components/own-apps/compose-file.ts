import { z } from "zod";
import { type Fault, placeOf } from "./manifest";

/** Keys of a service that would let its container out of its walls, or that the program itself sets; each with the reason. */
const refused: Readonly<Record<string, string>> = {
  privileged: "gives the container the whole machine: remove it",
  network_mode: "takes the container off its own network, as host does: remove it",
  pid: "shares the processes of the machine: remove it",
  ipc: "shares the memory of the machine: remove it",
  uts: "shares the name of the machine: remove it",
  userns_mode: "shares the users of the machine: remove it",
  cgroup: "shares the control groups of the machine: remove it",
  cgroup_parent: "shares the control groups of the machine: remove it",
  devices: "gives the container devices of the machine: remove it",
  device_cgroup_rules: "gives the container devices of the machine: remove it",
  gpus: "gives the container devices of the machine: remove it",
  runtime: "chooses a runtime of the machine: remove it",
  sysctls: "changes the kernel's settings: remove it",
  security_opt: "would replace no-new-privileges and seccomp: remove it",
  ports: "publishes a port past the sign-in portal: remove it; Caddy reaches the App at port of app.yaml",
  volumes_from: "takes over the volumes of another container: name the volumes in volumes",
  links: "is not needed: services reach each other by their names",
  external_links: "leads to containers that are not of the App: remove it",
  extra_hosts: "gives names to addresses, such as that of the machine: remove it",
  dns: "is the machine's: set dockerDns",
  dns_search: "is the machine's: remove it",
  dns_opt: "is the machine's: remove it",
  configs: "is not supported: mount a file of the folder read-only, in volumes",
  secrets: "is not supported: list the name in secrets of app.yaml and write ${NAME} in environment",
  profiles: "is not supported: leave the service out, or let it always run",
  extends: "is not supported: write the service in full",
  deploy: "is not supported: write memory in app.yaml",
  scale: "is not supported: one container for each service",
  mem_limit: "is set by memory of app.yaml: remove it",
  memswap_limit: "is set by memory of app.yaml: remove it",
  mem_reservation: "is set by memory of app.yaml: remove it",
  oom_kill_disable: "would let the App take the memory of the machine: remove it",
  oom_score_adj: "is set by cloudcode: remove it",
  pids_limit: "is set by cloudcode: remove it",
  logging: "is the machine's, which rotates all logs: remove it",
  storage_opt: "is the machine's: remove it",
  platform: "is the machine's: remove it",
  credential_spec: "is for Windows: remove it",
  isolation: "is for Windows: remove it",
  develop: "is for development: remove it",
  post_start: "is not supported: remove it",
  pre_stop: "is not supported: remove it",
};

/** Keys that have no effect here, and do no harm. */
const without = new Set(["container_name", "labels", "expose", "pull_policy", "annotations", "stdin_open", "tty"]);

const scalar = z.union([z.string(), z.number(), z.boolean()], "is not a text");
const command = z.union([z.string(), z.array(z.string())], "is neither a text nor a list of texts");
const duration = z.string().regex(/^(\d+(us|ms|s|m|h))+$/, "is not a duration such as 30s");
const condition = z.enum(
  ["service_started", "service_healthy", "service_completed_successfully"],
  "is not a condition of Docker Compose",
);

const environment = z
  .union([z.record(z.string(), scalar.nullable()), z.array(z.string())], "is neither a table nor a list of NAME=value")
  .transform((given) =>
    Array.isArray(given)
      ? Object.fromEntries(
          given.map((one): [string, string | null] => {
            const at = one.indexOf("=");
            return at < 0 ? [one, null] : [one.slice(0, at), one.slice(at + 1)];
          }),
        )
      : Object.fromEntries(Object.entries(given).map(([key, value]) => [key, value === null ? null : String(value)])),
  );

const build = z.union([
  z.string().transform((context) => ({ context, dockerfile: undefined })),
  z.strictObject({
    context: z.string().default("."),
    dockerfile: z.string().optional(),
    target: z.string().optional(),
    args: environment.optional(),
  }),
]);

const volume = z.union(
  [
    z.string(),
    z.strictObject({
      type: z.enum(["volume", "bind", "tmpfs"], "is none of volume, bind, tmpfs"),
      source: z.string().optional(),
      target: z.string(),
      read_only: z.boolean().default(false),
    }),
  ],
  "is neither SOURCE:TARGET nor a table of type, source, target and read_only",
);

const envFile = z.union([
  z.string().transform((path) => ({ path, required: true })),
  z.strictObject({ path: z.string(), required: z.boolean().default(true) }),
]);

/** Docker takes `CAP_CHOWN` and `chown`, too. */
const capabilities = z
  .array(
    z.string().transform((name) => name.toUpperCase().replace(/^CAP_/, "")),
    "is not a list",
  )
  .default([]);

/** What a service may have. */
export const serviceSchema = z.strictObject({
  image: z.string().optional(),
  build: build.optional(),
  command: command.optional(),
  entrypoint: command.optional(),
  environment: environment.default({}),
  env_file: z
    .union([envFile.transform((one) => [one]), z.array(envFile)], "is neither a path nor a list of paths")
    .default([]),
  volumes: z.array(volume, "is not a list").default([]),
  depends_on: z
    .union([
      z
        .array(z.string())
        .transform((names) =>
          Object.fromEntries(names.map((name) => [name, { condition: "service_started" as const }])),
        ),
      z.record(
        z.string(),
        z.strictObject({
          condition: condition.default("service_started"),
          restart: z.boolean().optional(),
          required: z.literal(true).optional(),
        }),
      ),
    ])
    .default({}),
  networks: z
    .union([
      z.array(z.string()).transform((names) => Object.fromEntries(names.map((name) => [name, null]))),
      z.record(z.string(), z.strictObject({ aliases: z.array(z.string()).optional() }).nullable()),
    ])
    .optional(),
  healthcheck: z
    .strictObject({
      test: command.optional(),
      interval: duration.optional(),
      timeout: duration.optional(),
      retries: z.int().optional(),
      start_period: duration.optional(),
      start_interval: duration.optional(),
      disable: z.boolean().optional(),
    })
    .optional(),
  restart: z.string().optional(),
  user: scalar.optional(),
  group_add: z.array(scalar).optional(),
  working_dir: z.string().optional(),
  tmpfs: z.union([z.string(), z.array(z.string())]).optional(),
  read_only: z.boolean().optional(),
  init: z.boolean().optional(),
  stop_signal: z.string().optional(),
  stop_grace_period: duration.optional(),
  shm_size: scalar.optional(),
  ulimits: z.strictObject({ nofile: z.unknown(), nproc: z.unknown() }).partial().optional(),
  cpus: scalar.optional(),
  hostname: z.string().optional(),
  cap_add: capabilities,
  cap_drop: capabilities,
});

/** A checked service. */
export type Service = z.infer<typeof serviceSchema>;

const network = z
  .strictObject({
    driver: z.literal("bridge", "is not bridge").optional(),
    internal: z.boolean("is neither true nor false").optional(),
    external: z.literal(false, "joins a network that is not of the App: remove it").optional(),
  })
  .nullable();

/** Name of a service: never a word that a command line takes for an option. */
export const serviceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]*$/, "is not a name of lower-case letters, digits, -, _ and .");

/** As Docker Compose names volumes and networks. */
const resourceName = z.string().regex(/^[a-zA-Z0-9._-]+$/, "is not a name of letters, digits, -, _ and .");

const networkName = resourceName.refine((name) => name !== "edge", {
  error: "is the network that Caddy joins: give it another name",
});

const fileSchema = z.strictObject({
  services: z.record(serviceName, z.unknown(), "is not a table of services"),
  volumes: z
    .record(
      resourceName,
      z
        .strictObject(
          {
            driver: z.literal("local", "is not local: only a volume of the machine is in every backup").optional(),
            external: z.literal(false, "is a volume that is not of the App: remove it").optional(),
          },
          "is not a table",
        )
        .nullable(),
    )
    .nullish(),
  networks: z.record(networkName, network).nullish(),
});

/** A compose file whose services have nothing that is refused. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: readonly string[];
  readonly networks: Readonly<Record<string, { readonly internal: boolean }>>;
}

/** A key that is missing is told from one of another type by the input of its issue. */
const reported = { reportInput: true };

/**
 * Judges a compose file by its shape, before variables are replaced.
 *
 * @param data the parsed file
 */
export function readComposeFile(
  file: string,
  data: unknown,
): { readonly compose?: ComposeFile; readonly faults: readonly Fault[] } {
  if (typeof data !== "object" || data === null || Array.isArray(data))
    return { faults: [{ file, key: "", fault: "is not a table with services" }] };
  const known = Object.fromEntries(
    Object.entries(data).filter(([key]) => !key.startsWith("x-") && !["version", "name"].includes(key)),
  );
  const whole = fileSchema.safeParse(known, reported);
  if (!whole.success) return { faults: whole.error.issues.flatMap((issue) => faultsOf(file, [], issue)) };
  const faults: Fault[] = [];
  const services: Record<string, Service> = {};
  for (const [service, given] of Object.entries(whole.data.services)) {
    const place = ["services", service];
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      faults.push({ file, key: placeOf(place), fault: "is not a table" });
      continue;
    }
    const entries = Object.entries(given as Readonly<Record<string, unknown>>).filter(
      ([key]) => !without.has(key) && !key.startsWith("x-"),
    );
    const harmless = (key: string, value: unknown) =>
      ["privileged", "oom_kill_disable"].includes(key) && value === false;
    for (const [key, value] of entries)
      if (Object.hasOwn(refused, key) && !harmless(key, value))
        faults.push({ file, key: placeOf([...place, key]), fault: refused[key] ?? "" });
    const known = Object.fromEntries(entries.filter(([key]) => !Object.hasOwn(refused, key)));
    const parsed = serviceSchema.safeParse(known, reported);
    if (parsed.success) services[service] = parsed.data;
    else faults.push(...parsed.error.issues.flatMap((issue) => faultsOf(file, place, issue)));
  }
  if (Object.keys(whole.data.services).length === 0) faults.push({ file, key: "services", fault: "is empty" });
  const networks = Object.entries(whole.data.networks ?? {}).map(
    ([key, value]) => [key, { internal: value?.internal ?? false }] as const,
  );
  const compose = { services, volumes: Object.keys(whole.data.volumes ?? {}), networks: Object.fromEntries(networks) };
  return faults.length > 0 ? { faults } : { compose, faults };
}

function faultsOf(file: string, place: readonly PropertyKey[], issue: z.core.$ZodIssue): Fault[] {
  const path = [...place, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ file, key: placeOf([...path, key]), fault: "is not supported: remove it" }));
  const union =
    issue.code === "invalid_union" ? issue.errors.flat().find((one) => one.code === "unrecognized_keys") : undefined;
  if (union) return faultsOf(file, path, union);
  const name = issue.code === "invalid_key" ? issue.issues[0] : undefined;
  if (name) return [{ file, key: placeOf(path), fault: name.message }];
  const missing = issue.code === "invalid_type" && issue.input === undefined;
  return [{ file, key: placeOf(path), fault: missing ? "is missing" : sentence(issue.message) }];
}

/** Zod's own words, such as "Invalid input: expected boolean, received string", in ours. */
function sentence(message: string): string {
  return message
    .replace(/^Invalid (?:input|option|key|value): expected (\S+).*$/s, "is not of the type $1")
    .replace(/^Invalid .*$/s, "is not valid");
}
