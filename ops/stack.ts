import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { z } from "zod";
import { deploymentOf } from "./deployment";
import type { Operations } from "../components/operations";
import { CommandError, type RunOptions, run } from "../cli/run";

/** Which stack a command is about. */
export interface StackChoice {
  /** Name of the stack. @default the selected one */
  readonly stack?: string;
  /** Folder that the Pulumi CLI runs in. @default the project */
  readonly cwd?: string;
}

const outputsSchema = z.object({
  url: z.string(),
  urls: z.record(z.string(), z.string()),
  deviceKeys: z.record(z.string(), z.string()).optional(),
  monthlyCost: z.object({ currency: z.string(), running: z.number(), stopped: z.number() }).optional(),
  operations: z.object({
    connection: z.object({
      host: z.string(),
      port: z.number(),
      user: z.string(),
      privateKey: z.string(),
      hostKey: z.string(),
    }),
    awake: z.boolean(),
    domain: z.string(),
    publicAddress: z.string(),
    limited: z.literal(true).optional(),
    announcesItself: z.literal(true).optional(),
    operator: z.string(),
    people: z.array(z.object({ name: z.string(), mail: z.string() })).optional(),
    codesTo: z.string().optional(),
    stacks: z.array(z.string()),
    onlyOnce: z.array(z.string()).optional(),
    sites: z.array(z.object({ title: z.string(), host: z.string(), open: z.boolean() })),
    previews: z.array(z.object({ port: z.number(), host: z.string() })).optional(),
  }),
});

/** The outputs of a stack that operations use. */
export interface StackOutputs {
  readonly url: string;
  readonly urls: Readonly<Record<string, string>>;
  /** By the device's name. */
  readonly deviceKeys?: Readonly<Record<string, string>> | undefined;
  /** Price of a month by the last `up`, where the machine is paid by the hour at Alibaba Cloud. */
  readonly monthlyCost?: { readonly currency: string; readonly running: number; readonly stopped: number } | undefined;
  readonly operations: Operations;
}

/** A fault that the operator can fix; the message is all they need to see. */
export class OpsError extends Error {}

/** Another run of Pulumi is at work on the stack, and nothing was changed. */
export class StackLocked extends OpsError {}

/** Exit code where another run of Pulumi is at work: sysexits' EX_TEMPFAIL, try again later. */
export const lockedCode = 75;

/** What the CLI says while another run holds the stack: a backend of files or buckets, and Pulumi Cloud. */
const lockWords = /currently locked|\[409\] Conflict: Another update is currently in progress/;

/** Folder of the project. */
export const project = resolve(__dirname, "..");

/**
 * Runs the Pulumi CLI on the chosen stack, non-interactive.
 *
 * @throws OpsError that says in a sentence what is wrong
 */
export async function pulumi(choice: StackChoice, args: readonly string[], options: RunOptions = {}): Promise<string> {
  try {
    const { stdout } = await run("pulumi", [...args, ...placeOf(choice)], options);
    return stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const said = error.output.stderr || error.message;
    const Fault = lockWords.test(`${said}${error.output.stdout}`) ? StackLocked : OpsError;
    throw new Fault(pulumiFault(said), { cause: error });
  }
}

/** Runs the Pulumi CLI on this terminal; standard output is the answer's alone. Gives its exit code. */
export function attached(choice: StackChoice, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args, ...placeOf(choice)], { stdio: ["inherit", 2, 2] });
    child.once("error", () => {
      reject(new OpsError("the Pulumi CLI is not on PATH: https://www.pulumi.com/docs/install/"));
    });
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

/** The options by which the Pulumi CLI finds the chosen stack and asks nothing. */
export function placeOf({ cwd, stack }: StackChoice): string[] {
  return ["--non-interactive", "--cwd", cwd ?? project, ...(stack === undefined ? [] : ["--stack", stack])];
}

/** What an `up` that failed says: its diagnostics, which the CLI prints on standard output. */
export function upWords({ message, cause }: OpsError): string {
  if (!(cause instanceof CommandError)) return message;
  const { stdout, stderr } = cause.output;
  const from = stdout.indexOf("Diagnostics:");
  return `${from < 0 ? stdout.split("\n").slice(-40).join("\n") : stdout.slice(from)}\n${stderr}`.trim();
}

/** The CLI's own words, and what to do where those leave a person alone. */
export function pulumiFault(words: string): string {
  const said = words.replace(/^error: /gm, "").trim();
  if (/ENOENT/.test(words)) return "the Pulumi CLI is not on PATH: https://www.pulumi.com/docs/install/";
  if (/no stack selected|no current stack|must be used with --stack/i.test(words))
    return "no stack is selected: run `pulumi stack select NAME`, or add --stack NAME";
  if (/incorrect passphrase|passphrase must be set|PULUMI_CONFIG_PASSPHRASE/i.test(words))
    return `the stack's passphrase is missing or wrong: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE (${said.split("\n")[0] ?? ""})`;
  if (/operation error KMS/.test(words)) return kmsFault(words) ?? said;
  if (/SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|no EC2 IMDS role/.test(words))
    return "the bucket of the state refuses the keys of this shell: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
  if (/NoSuchBucket/.test(words)) return "the bucket of the state does not exist: check its name and endpoint";
  if (lockWords.test(words)) {
    const [, who, since] = /created by (\S+) \(pid \d+\) at (\S+)/.exec(words) ?? [];
    const holder = who === undefined ? "another run" : `${who} (since ${since ?? ""})`;
    return `${holder} holds the stack's lock; \`pulumi cancel\` releases it if that run was killed`;
  }
  if (/no stack named/i.test(words)) return `${said}; \`pulumi stack ls\` lists those of this backend`;
  return said;
}

/** What AWS's SDK says of a KMS key that secrets are encrypted with; undefined for what it says clearly itself. */
function kmsFault(words: string): string | undefined {
  if (/request send failed/.test(words))
    return `the KMS that keeps the key of this stack's secrets cannot be reached (${/dial .*|Client.Timeout.*/.exec(words)?.[0] ?? "no answer"})`;
  if (/get credentials|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|ExpiredToken|AccessDenied/.test(words))
    return "the KMS that keeps the key of this stack's secrets refuses the credentials of this shell: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
  if (/NotFoundException|DisabledException|KMSInvalidState/.test(words))
    return "the KMS key of this stack's secrets does not exist, is disabled, or is scheduled for deletion: without it the secrets are lost";
  return undefined;
}

/** Reads the outputs, secrets too. */
export async function readOutputs(choice: StackChoice): Promise<StackOutputs> {
  return parseOutputs(await pulumi(choice, ["stack", "output", "--json", "--show-secrets"]));
}

/**
 * The pure half of {@link readOutputs}.
 *
 * @throws OpsError where the stack has never been up with this version of the program
 */
export function parseOutputs(json: string): StackOutputs {
  const parsed = outputsSchema.safeParse(JSON.parse(json));
  if (parsed.success) {
    const { operations, ...rest } = parsed.data;
    return { ...rest, operations: { ...operations, codesTo: operations.codesTo } };
  }
  const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".")))].join(", ");
  throw new OpsError(`the stack lacks the outputs ${fields}: run \`pulumi up\` once until it completes`);
}

/** Name of the chosen stack, without organization and project: what the program knows it by. */
export async function stackName(choice: StackChoice): Promise<string> {
  const name = choice.stack ?? (await pulumi(choice, ["stack", "--show-name"]));
  return name.trim().split("/").at(-1) ?? "";
}

const stateSchema = deploymentOf(
  z.object({
    urn: z.string(),
    type: z.string(),
    parent: z.string().optional(),
    outputs: z.looseObject({ release: z.string().optional().catch(undefined) }).optional(),
    taint: z.boolean().default(false),
  }),
);

/** A ComposeStack whose release was applied, as the state has it. */
export interface AppliedStack {
  /** URN of the command that applies its release. */
  readonly command: string;
  /** What that applied; undefined after an `up` of other stacks alone, and in a state of an older version of the program. */
  readonly release: string | undefined;
  /** Whether the next `up` applies the program's release in any case, as after `ops rollback`. */
  readonly tainted: boolean;
}

/**
 * The ComposeStacks that the last `up` left on the host, by name.
 *
 * @param exported what `pulumi stack export` prints
 */
export function appliedStacks(exported: string): Readonly<Record<string, AppliedStack>> {
  const { resources } = stateSchema.parse(JSON.parse(exported)).deployment;
  const components = resources.filter(({ type }) => type === "cloudcode:index:ComposeStack");
  const applied = components.flatMap(({ urn, outputs }) => {
    const name = nameOf(urn);
    const command = resources.find((one) => one.parent === urn && nameOf(one.urn) === `${name}-release`);
    if (command === undefined) return [];
    return [[name, { command: command.urn, release: outputs?.release, tainted: command.taint }] as const];
  });
  return Object.fromEntries(applied);
}

/** https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
const nameOf = (urn: string) => urn.split("::").slice(3).join("::");
