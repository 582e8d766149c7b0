import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Value } from "../plugin/values";
import { isList, isMap, text } from "../plugin/values";
import type { Operation } from "../plugin/provider";
import type { Captured, Job } from "./lifecycle";
import { Output } from "./output";

/** String members of an object property. */
function strings(value: Value | undefined): Record<string, string> {
  const entries = isMap(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.map(([name, item]) => [name, text(item) ?? ""]));
}

const SIGNAL_NAMES: Readonly<Record<string, string>> = {
  SIGABRT: "aborted",
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

function spawnFailure(error: Error, program: string): string {
  const missing = "code" in error && error.code === "ENOENT";
  if (!missing) return error.message;
  return program.includes("/")
    ? `fork/exec ${program}: no such file or directory`
    : `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
}

/** Runs a command on this machine, in the project's folder unless `dir` says otherwise. @throws Error in the real provider's words */
export function runLocally({ command, inputs, previous }: Job, operation: Operation): Promise<Captured> {
  const interpreter = isList(inputs["interpreter"]) ? inputs["interpreter"].map((part) => text(part) ?? "") : [];
  const [program = "/bin/sh", ...options] = interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"];
  const env: NodeJS.ProcessEnv = { ...process.env, ...strings(inputs["environment"]) };
  if (inputs["addPreviousOutputInEnv"] !== false) {
    if (previous.stdout !== "") env["PULUMI_COMMAND_STDOUT"] = previous.stdout;
    if (previous.stderr !== "") env["PULUMI_COMMAND_STDERR"] = previous.stderr;
  }
  const output = new Output(inputs["logging"], operation);
  const child = spawn(program, [...options, command], { env, cwd: text(inputs["dir"]) ?? process.cwd() });
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  operation.cancelled.addEventListener("abort", kill);
  child.stdout.on("data", (data: Buffer) => {
    output.add("stdout", data);
  });
  child.stderr.on("data", (data: Buffer) => {
    output.add("stderr", data);
  });
  // A command need not read its input to the end.
  child.stdin.on("error", () => undefined);
  child.stdin.end(text(inputs["stdin"]) ?? "");

  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", (error) => {
      reject(output.failure(spawnFailure(error, program), command));
    });
    child.on("close", (code, signal) => {
      operation.cancelled.removeEventListener("abort", kill);
      if (code === 0) resolve();
      else if (signal === null) reject(output.failure(`exit status ${code ?? 1}`, command));
      else reject(output.failure(`signal: ${SIGNAL_NAMES[signal] ?? String(constants.signals[signal])}`, command));
    });
  });
  return ended.then(() => output.finish());
}
