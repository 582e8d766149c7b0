import { z } from "zod";
import { OpsError } from "../stack";

/** Go writes what it has not made yet as empty texts. */
const id = z.string().default("");

const fileSchema = z.object({
  version: z.string().default(""),
  region: z.string().default(""),
  status: z.string().default(""),
  resources: z.object({
    vpc: z.object({ id }).default({ id: "" }),
    vswitch: z.object({ id }).default({ id: "" }),
    security_group: z.object({ id }).default({ id: "" }),
    ecs: z.object({ id }).default({ id: "" }),
    eip: z.object({ id }).default({ id: "" }),
    ssh_key_pair: z.object({ private_key_path: z.string().default("") }).default({ private_key_path: "" }),
  }),
  cloudcode: z.object({ domain: z.string().default("") }).default({ domain: "" }),
});

/** What is made, in the order the old CLI made it; a file of a deployment that was cut off holds the first ones. */
const kinds = [
  ["vpc", "vpc", /^vpc-\w+$/],
  ["vswitch", "vswitch", /^vsw-\w+$/],
  ["group", "security_group", /^sg-\w+$/],
  ["machine", "ecs", /^i-\w+$/],
  ["address", "eip", /^eip-\w+$/],
] as const;

/** A resource of the old CLI. */
export type Kind = (typeof kinds)[number][0];

/** What a state.json says. */
export interface OldState {
  readonly region: string;
  /** By kind; what is missing was never made. */
  readonly ids: Readonly<Partial<Record<Kind, string>>>;
  /** File name of the private key, in the folder of the state.json. */
  readonly keyFile: string;
  /** Empty: none. */
  readonly domain: string;
}

/**
 * Reads a state.json of the old CLI, version 1.0.
 *
 * @throws OpsError where it is no such file at all
 */
export function parseState(text: string): { readonly state: OldState; readonly problems: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new OpsError("the file is not JSON: it must be the state.json of the old CLI, in ~/.cloudcode/");
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success)
    throw new OpsError(
      `the file is not a state.json of the old CLI: ${parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ")}`,
    );
  const { version, region, status, resources, cloudcode } = parsed.data;
  const found = kinds.map(([kind, field, shape]) => ({ kind, field, shape, id: resources[field].id }));
  const last = found.findLastIndex((one) => one.id !== "");
  const problems = [
    ...when(version !== "1.0", `version is ${version || "missing"}; only 1.0 is known`),
    ...when(!/^[a-z]+-[a-z]+(-\w+)?$/.test(region), "region is missing or not a region"),
    ...when(
      status === "suspended",
      "status is suspended: start the machine with `cloudcode resume` of the old CLI, then import",
    ),
    ...when(
      status === "destroyed",
      "status is destroyed: there is nothing to adopt; `cloudcode deploy` of the old CLI restores the data of a snapshot",
    ),
    ...when(
      !["", "running", "suspended", "destroyed"].includes(status),
      "status is not running, suspended or destroyed",
    ),
    ...when(last < 0 && status !== "destroyed", "resources lists nothing that was created"),
    ...found.flatMap((one, index) => [
      ...when(
        one.id === "" && index < last,
        `resources.${one.field}.id is missing, but a resource that needs it exists`,
      ),
      ...when(one.id !== "" && !one.shape.test(one.id), `resources.${one.field}.id is not the id of one`),
    ]),
    ...when(
      resources.ecs.id !== "" && resources.eip.id === "",
      `resources.eip.id is missing: without an address nothing was installed on the machine ${resources.ecs.id}, so delete the machine in the console and its id in the file`,
    ),
  ];
  const ids = Object.fromEntries(found.filter((one) => one.id !== "").map((one) => [one.kind, one.id]));
  const keyFile = resources.ssh_key_pair.private_key_path.split("/").at(-1) || "ssh_key";
  return { state: { region, ids, keyFile, domain: cloudcode.domain }, problems };
}

const when = (fault: boolean, words: string): string[] => (fault ? [words] : []);
