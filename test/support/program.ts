import * as pulumi from "@pulumi/pulumi";
import type { Query } from "../../components/alicloud/api/api";
import type { Setting } from "../../components/settings/setting";
import { settingKeys, settingsTable } from "../../components/settings/table";
import { type Configuration, minimal, minimalAlicloud, project } from "./minimal";
import { type AccountPrices, pricesOf } from "./prices";
import type { Account, Call } from "./provider-answers";
import { type RecordedOutput, type RecordedResource, RecordingMonitor } from "./recorder";

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

const runs = new Map<string, Promise<ProgramRun>>();

/** {@link runProgram}, once for all tests of a file that ask about the same settings. */
export function programWith(settings: Configuration = {}): Promise<ProgramRun> {
  const key = JSON.stringify(settings);
  const known = runs.get(key) ?? runProgram(settings);
  runs.set(key, known);
  return known;
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

let prices: AccountPrices | undefined;
jest.mock("../../components/alicloud/prices/ask", () => ({
  askPrices: (region: string, questions: readonly Query[]) => pricesOf(prices)(region, questions),
}));

/** What index.ts declares, in the engine that the SDK uses now. It and its modules are loaded once for all runs of a test file. */
export async function evaluateProgram(account: Account = {}): Promise<object> {
  prices = account.prices;
  return (await import("../../index")).default();
}

/** Runs that with every module loaded again but the SDK, which knows the engine: for what a run loads. */
export async function withModulesOfItsOwn<T>(run: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  await jest.isolateModulesAsync(async () => {
    jest.doMock("@pulumi/pulumi", () => pulumi);
    result = { value: await run() };
  });
  jest.dontMock("@pulumi/pulumi");
  if (result === undefined) throw new Error("the run ended without a result");
  return result.value;
}
