import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { deploymentOf } from "../deployment";
import { cloudApi } from "../../components/alicloud/api/api";
import { explainFault } from "../../components/alicloud/api/faults";
import { hostKey as hostKeyShape, typeAndBase64 } from "../../components/settings/checks";
import type { Say } from "../../cli/run";
import { parsePreview } from "../../cli/preview";
import { projectName, settingsOfProject } from "../../cli/project";
import { type Found, findAll } from "../adopt/cloud";
import { type Keys, handOver, isOurs, oldDocker } from "../adopt/handover";
import {
  type Adoption,
  adoptedSettings,
  adoptions,
  cloudProblems,
  foundationUrns,
  harm,
  importFile,
  stackProblems,
} from "../adopt/plan";
import { type OldState, parseState } from "../adopt/state-file";
import { OpsError, type StackChoice, project, pulumi } from "../stack";

export interface ImportOptions {
  /** The ed25519 host key of the machine, as `type base64`. */
  readonly hostKey?: string;
  readonly dryRun: boolean;
}

/**
 * Takes over what the old CLI's state.json names: settings that keep it as it is, `pulumi import`, a preview that must not
 * replace any of it, and the machine's keys. It goes on where an earlier run stopped.
 *
 * @throws OpsError with every problem at once, before anything is changed
 */
export async function importState(
  choice: StackChoice,
  file: string,
  { hostKey: line, dryRun }: ImportOptions,
  say: Say,
): Promise<string> {
  // As it stands in the file there, with a comment or without.
  const hostKey = line === undefined ? undefined : typeAndBase64(line);
  if (!existsSync(file)) throw new OpsError(`there is no file ${file}`);
  const { state, problems } = parseState(readFileSync(file, "utf8"));
  if (problems.length > 0) throw refused(file, problems);
  const found = await findAll(cloudApi(state.region), state).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    throw new OpsError(explainFault(words) ?? words, { cause: error });
  });
  const wanted = adoptions(state, found);
  const before = await readStack(choice);
  const address = found.machine === undefined ? undefined : found.address?.IpAddress;
  const missing = wanted.filter(({ name }) => !before.ids.has(name));
  const kept = wanted.length - missing.length;
  const taken = address === undefined || (before.keys !== undefined && (await isOurs(address, before.keys)));
  // Rules that the program does not know are gone after an `up`, and a changed one has another id.
  const isDone = taken && missing.every(({ name }) => name.startsWith("host-network-in-"));

  const faults = [
    ...cloudProblems(state, found),
    ...stackProblems(state, found, wanted, before.config, before.ids),
    ...(taken ? [] : machineProblems(file, state, hostKey)),
  ];
  if (faults.length > 0) throw refused(file, faults);
  if (isDone && kept > 0) return `Already adopted: everything in ${file} is in this stack. Nothing was changed.`;

  const settings = adoptedSettings(state, found);
  for (const { name, id } of missing) say(`adopt ${name}: ${id}`);
  for (const [key, value] of Object.entries(settings)) say(`set ${key}: ${value}`);
  if (dryRun) return "Nothing was changed: --dry-run.";

  for (const [key, value] of Object.entries(settings)) await pulumi(choice, ["config", "set", key, value]);
  await adopt(choice, missing);
  const preview = parsePreview(await pulumi(choice, ["preview", "--json", "--show-sames"]));
  const lost = harm(preview, wanted);
  if (lost.length > 0)
    throw new OpsError(
      `adopted, but do not run pulumi up: ${lost.join("; ")}. Set the settings named there to the real values.`,
    );
  if (address !== undefined && !taken) {
    const { keys } = await readStack(choice);
    if (keys === undefined) throw new OpsError("the state has no keys of the host: run the same command again");
    const privateKey = readFileSync(keyPath(file, state), "utf8");
    await handOver(address, { privateKey, hostKey: hostKey ?? "" }, keys);
  }
  return farewell(state, found);
}

/** Makes the parents, which an import needs, then imports. */
async function adopt(choice: StackChoice, missing: readonly Adoption[]): Promise<void> {
  // An `up` of the parents alone refuses to leave out the rules that are to go.
  if (missing.length === 0) return;
  const preview = parsePreview(await pulumi(choice, ["preview", "--json", "--show-sames"]));
  const targets = foundationUrns(preview).flatMap((urn) => ["--target", urn]);
  await pulumi(choice, ["up", "--yes", "--skip-preview", "--suppress-outputs", ...targets]);
  const folder = mkdtempSync(join(tmpdir(), "cloudcode-import-"));
  try {
    const path = join(folder, "import.json");
    writeFileSync(path, JSON.stringify(importFile(preview, missing)));
    const options = ["--protect=false", "--generate-code=false", "--yes", "--skip-preview", "--suppress-outputs"];
    await pulumi(choice, ["import", "--file", path, ...options]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const keyPath = (file: string, { keyFile }: OldState) => join(dirname(file), keyFile);

/** What is needed to get into the machine once with the old key. */
function machineProblems(file: string, state: OldState, hostKey: string | undefined): string[] {
  const path = keyPath(file, state);
  const how =
    "read it on the machine, in the console's Workbench: cat /etc/ssh/ssh_host_ed25519_key.pub (the old CLI never checked it)";
  return [
    ...(existsSync(path) ? [] : [`the old CLI's private key ${path} is missing: put it next to the state.json`]),
    ...(hostKey === undefined
      ? [`--host-key is missing: ${how}`]
      : hostKeyShape.safeParse(hostKey).success && hostKey.startsWith("ssh-ed25519 ")
        ? []
        : [`--host-key is not a line such as "ssh-ed25519 AAAA…": ${how}`]),
  ];
}

const refused = (file: string, problems: readonly string[]) =>
  new OpsError(`${file} cannot be adopted; nothing was changed.\n${problems.map((one) => `  ${one}`).join("\n")}`);

const exportSchema = deploymentOf(
  z.object({
    urn: z.string(),
    id: z.string().optional(),
    outputs: z.record(z.string(), z.unknown()).optional(),
  }),
);
const configSchema = z.record(z.string(), z.object({ value: z.string().optional() }));
const plainSecret = z.object({ plaintext: z.string() }).transform(({ plaintext }) => String(JSON.parse(plaintext)));
const keySchema = z.object({
  privateKeyOpenssh: z.union([z.string(), plainSecret]),
  publicKeyOpenssh: z.string(),
});

/** What the stack has so far. */
async function readStack(choice: StackChoice) {
  const all = configSchema.parse(JSON.parse(await pulumi(choice, ["config", "--json"])));
  const config = settingsOfProject(all, projectName(choice.cwd ?? project));
  const exported: unknown = JSON.parse(await pulumi(choice, ["stack", "export", "--show-secrets"]));
  const { resources } = exportSchema.parse(exported).deployment;
  const nameOf = (urn: string) => urn.split("::").slice(3).join("::");
  const keyOf = (name: string) => {
    const outputs = resources.find(({ urn }) => nameOf(urn) === name)?.outputs;
    return outputs && keySchema.parse(outputs);
  };
  const [login, host] = [keyOf("host-login-key"), keyOf("host-host-key")];
  const keys: Keys | undefined =
    login && host
      ? {
          loginPrivate: login.privateKeyOpenssh,
          loginPublic: login.publicKeyOpenssh,
          hostPrivate: host.privateKeyOpenssh,
          hostPublic: host.publicKeyOpenssh,
        }
      : undefined;
  return {
    keys,
    config: Object.fromEntries(
      // As the program, which takes an empty value for none.
      Object.entries(config).flatMap(([key, { value }]) => (value ? [[key, value] as const] : [])),
    ),
    ids: new Map(resources.flatMap(({ urn, id }) => (id === undefined ? [] : [[nameOf(urn), id] as const]))),
  };
}

function farewell({ domain }: OldState, { machine }: Found): string {
  const own = domain !== "" && !domain.endsWith(".nip.io");
  return [
    "Adopted. pulumi up creates the rest; it renames and tags the adopted resources, and replaces none of them.",
    ...(machine === undefined
      ? []
      : [
          `The old containers are stopped; all their data is in ${oldDocker} and /root/cloudcode on the machine. After the next up, npm run ops -- import-data copies OpenCode's data into the new OpenCode. That up restarts the machine once.`,
        ]),
    ...(own
      ? [
          `The old site was ${domain}: before you set it as domain, delete the A records of ${domain} and auth.${domain} if they are in Alibaba Cloud DNS, because up creates its own.`,
        ]
      : []),
  ].join("\n");
}
