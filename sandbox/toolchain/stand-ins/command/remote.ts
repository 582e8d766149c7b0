import { constants } from "node:os";
import type { Client, ClientChannel } from "ssh2";
import type { Operation } from "../plugin/provider";
import { isMap, text } from "../plugin/values";
import { abortReason, dial, endpointOf } from "./connection";
import type { Job, Runner } from "./lifecycle";
import { strings } from "./local";
import { Output } from "./output";
import { openSession } from "./session";

function refusal(name: string): string {
  return `Unable to set '${name}'. This only works if your SSH server is configured to accept
\tthese variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could
\tprefix the command itself with the variables in the form 'VAR=value command'`;
}

/** Starts the command; a refused variable of `environment` is an error, a refused previous output only a warning. */
async function start(client: Client, { command, inputs, previous }: Job, operation: Operation): Promise<ClientChannel> {
  const session = await openSession(client);
  for (const [name, value] of Object.entries(strings(inputs["environment"]))) {
    if (await session.setenv(name, value)) continue;
    operation.log("error", refusal(name));
    throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
  }
  if (inputs["addPreviousOutputInEnv"] !== false) {
    for (const [name, value] of [
      ["PULUMI_COMMAND_STDOUT", previous.stdout],
      ["PULUMI_COMMAND_STDERR", previous.stderr],
    ] as const) {
      if (value !== "" && !(await session.setenv(name, value))) operation.log("warning", refusal(name));
    }
  }
  return session.exec(command);
}

const WITHOUT_STATUS = "wait: remote command exited without exit status or exit signal";

function signalReason(signal: string): string {
  const number = Object.entries(constants.signals).find(([name]) => name === `SIG${signal.replace(/^SIG/, "")}`)?.[1];
  return `Process exited with status ${128 + (number ?? 0)} from signal ${signal.replace(/^SIG/, "")}`;
}

/** Runs a command on a host, over a connection of its own. */
export const runRemotely: Runner = async (job, operation) => {
  const { command, inputs } = job;
  const connection = inputs["connection"];
  const client = await dial(endpointOf(isMap(connection) ? connection : {}), operation);
  const output = new Output(inputs["logging"], operation);
  const interrupt = (): void => {
    client.destroy();
  };
  operation.interrupted.addEventListener("abort", interrupt);
  try {
    let reason = WITHOUT_STATUS;
    const closed = new Promise<void>((resolve) => {
      client.on("close", resolve);
    });
    const channel = await start(client, job, operation);
    const done = new Promise<void>((resolve) => {
      channel.on("close", resolve);
    });
    channel.on("data", (data: Buffer) => {
      output.add("stdout", data);
    });
    channel.stderr.on("data", (data: Buffer) => {
      output.add("stderr", data);
    });
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code !== null) reason = code === 0 ? "" : `Process exited with status ${code}`;
      else if (signal !== undefined) reason = signalReason(signal);
    });
    // A command need not read its input to the end.
    channel.on("error", () => undefined);
    channel.end(text(inputs["stdin"]) ?? "");
    await Promise.race([done, closed]);
    if (operation.interrupted.aborted) reason = abortReason(operation.interrupted).message;
    if (reason !== "") throw output.failure(reason, command);
    return output.finish();
  } finally {
    operation.interrupted.removeEventListener("abort", interrupt);
    client.end();
  }
};
