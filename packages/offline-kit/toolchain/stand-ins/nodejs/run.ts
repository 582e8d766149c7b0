import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { RunRequest } from "@pulumi/pulumi/proto/language_pb";
import { RunResponse } from "@pulumi/pulumi/proto/language_pb";
import { fromStruct } from "../plugin/values";
import { parseOptions } from "./options";

/** The exit code of a program that has already told the user what is wrong. */
const BAIL = 32;

function resolveRunner(programFolder: string): string {
  try {
    return createRequire(join(programFolder, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  } catch {
    throw new Error("It looks like the Pulumi SDK has not been installed. Have you run pulumi install?");
  }
}

function programArguments(request: RunRequest, engine: string): string[] {
  const info = request.getInfo();
  const named = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info?.getRootDirectory() ?? "",
    stack: request.getStack(),
    pwd: info?.getProgramDirectory() ?? "",
    parallel: String(request.getParallel()),
  };
  const options = Object.entries(named).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value]));
  const dryRun = request.getDryrun() ? ["--dry-run"] : [];
  return [...options, ...dryRun, info?.getEntryPoint() ?? ".", ...request.getArgsList()];
}

/** Config as the SDK wants it: `project:config:key`. */
function config(request: RunRequest): string {
  const entries = request
    .getConfigMap()
    .getEntryList()
    .map(([key, value]): [string, string] => {
      const [namespace = "", ...name] = key.split(":");
      return [`${namespace}:config:${name.join(":").replace(/^config:/, "")}`, value];
    });
  return JSON.stringify(Object.fromEntries(entries));
}

async function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      resolve({ code, signal });
    });
  });
}

/** Runs the program of a request; what it prints goes straight to the engine. */
export async function runProgram(request: RunRequest, engine: string, cancelled: AbortSignal): Promise<RunResponse> {
  const response = new RunResponse();
  if (request.getAttachDebugger()) {
    response.setError("The stand-in for pulumi-language-nodejs cannot attach a debugger; the official one can.");
    return response;
  }
  const info = request.getInfo();
  const options = parseOptions(fromStruct(info?.getOptions()));
  const args = [
    ...options.nodeargs,
    resolveRunner(info?.getProgramDirectory() ?? ""),
    ...programArguments(request, engine),
  ];
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PULUMI_CONFIG: config(request),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
    ...(options.tsconfig === "" ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
  };
  const child = spawn("node", args, { env, stdio: ["ignore", "inherit", "inherit"] });
  const stop = (): void => {
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGKILL"), 5000).unref();
  };
  // An engine that was killed cancels nothing: its program goes with this process, which sees the engine gone.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  cancelled.addEventListener("abort", stop);
  const { code, signal } = await exitOf(child);
  cancelled.removeEventListener("abort", stop);
  process.removeListener("exit", kill);
  if (code === BAIL) response.setBail(true);
  else if (code !== 0)
    response.setError(`Program exited with non-zero exit code: ${code ?? -1}${signal ? ` (${signal})` : ""}`);
  return response;
}
