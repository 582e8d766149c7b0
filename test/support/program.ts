import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Setting } from "../../components/settings/setting";
import { settingKeys, settingsTable } from "../../components/settings/table";
import { keyPair } from "./keys";
import { pricesOf } from "./prices";
import type { Account, Call } from "./provider-answers";
import { type RecordedOutput, type RecordedResource, RecordingMonitor } from "./recorder";

export const projectRoot = join(__dirname, "..", "..");
export const project = "cloudcode";

/** `type base64` of a host key that no machine has. */
export const hostKey = keyPair().public;
export const privateKey = keyPair().private;

type Configuration = Readonly<Record<string, string>>;

/** The least a stack on an existing host must configure. */
export const minimal: Configuration = {
  target: "existing",
  hostAddress: "203.0.113.7",
  hostPrivateKey: privateKey,
  hostKey,
};

/** The least a stack on Alibaba Cloud must configure. */
export const minimalAlicloud: Configuration = { sshCidrs: '["198.51.100.4/32"]' };

export const secretKeys: readonly string[] = settingKeys.filter((key) => {
  const setting: Setting = settingsTable[key];
  return setting.secret;
});

export interface RunOptions {
  /** Names the random values; the same name is the same state. @default "state" */
  readonly randomness?: string;
  /** Values that resources would get are not known yet. */
  readonly preview?: boolean;
  /** What the account at the cloud holds already. @default nothing */
  readonly account?: Account;
}

/** One run of the program, as the engine sees it. */
export interface ProgramRun {
  readonly resources: readonly RecordedResource[];
  readonly outputs: Readonly<Record<string, RecordedOutput>>;
  /** Calls of the providers' functions. */
  readonly calls: readonly Call[];
  /** @throws Error where there is no resource of that name */
  readonly resource: (name: string) => RecordedResource;
}

/** Runs the real index.ts against a recording engine, with {@link minimal} and the settings given. */
export function runProgram(settings: Configuration = {}, options: RunOptions = {}): Promise<ProgramRun> {
  return run({ ...minimal, ...settings }, options);
}

/** The same with {@link minimalAlicloud}. */
export function runAlicloud(settings: Configuration = {}, options: RunOptions = {}): Promise<ProgramRun> {
  return run({ ...minimalAlicloud, ...settings }, options);
}

/** What the program throws with {@link minimalAlicloud} and these settings; undefined where it does not. */
export async function failureOf(settings: Configuration, options: RunOptions): Promise<unknown> {
  const all = { ...minimalAlicloud, ...settings };
  useEngine(new RecordingMonitor({ randomness: "state", ...options }), all, options.preview);
  try {
    // Outside the SDK's frame of a stack, which would end this process with the error.
    await evaluateProgram(options.account);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await pulumi.runtime.disconnect();
  }
}

async function run(settings: Configuration, options: RunOptions): Promise<ProgramRun> {
  const monitor = new RecordingMonitor({ randomness: "state", ...options });
  useEngine(monitor, settings, options.preview);
  try {
    await pulumi.runtime.runInPulumiStack(() => evaluateProgram(options.account));
  } finally {
    await pulumi.runtime.disconnect();
  }
  return {
    resources: monitor.recorded,
    outputs: monitor.outputs,
    calls: monitor.calls,
    resource: (name) => {
      const found = monitor.recorded.find((resource) => resource.name === name);
      if (!found)
        throw new Error(`no resource ${name} among ${monitor.recorded.map((resource) => resource.name).join(", ")}`);
      return found;
    },
  };
}

/** Makes this monitor the engine of the SDK, and these settings the configuration of the stack. */
export function useEngine(monitor: RecordingMonitor, settings: Configuration, preview = false): void {
  const named = Object.entries(settings).map(([key, value]) => [`${project}:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(named) as Record<string, string>);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secretKeys.map((key) => `${project}:${key}`));
  // Switches on what a real engine supports, with a monitor that ours then replaces.
  void pulumi.runtime.setMocks(monitor.mocks, project, "test", preview);
  pulumi.runtime.setMockOptions(monitor, project, "test", preview);
}

/** Packages that hold no state of a run and are slow to load; all runs share one Pulumi SDK with this file. */
const packages = [
  "@pulumi/pulumi",
  "@pulumi/alicloud",
  "@pulumi/command",
  "@pulumi/random",
  "@pulumi/tls",
  "argon2",
  "handlebars",
  "tar-stream",
  "tldts",
  "zod",
];
const shared = packages.map((name): [string, unknown] => [name, jest.requireActual(name)]);

/** The module index.ts, evaluated again. */
export async function evaluateProgram(account: Account = {}): Promise<object> {
  let outputs: object = {};
  await jest.isolateModulesAsync(async () => {
    for (const [name, module] of shared) jest.doMock(name, () => module);
    jest.doMock("../../components/alicloud/prices/ask", () => ({ askPrices: pricesOf(account.prices) }));
    outputs = await (await import("../../index")).default();
  });
  return outputs;
}
