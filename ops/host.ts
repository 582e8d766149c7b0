import { userInfo, hostname } from "node:os";
import type { RunOptions } from "../cli/run";
import { Ssh } from "./ssh";
import { OpsError, type StackChoice, type StackOutputs, readOutputs } from "./stack";

/** Opens the stack's host for one action. @throws OpsError where its machine is switched off */
export async function onHost<T>(
  choice: StackChoice,
  action: (ssh: Ssh, outputs: StackOutputs) => Promise<T>,
): Promise<T> {
  const outputs = await readOutputs(choice);
  if (!outputs.operations.awake)
    throw new OpsError("the machine is switched off: pulumi config set power running && pulumi up");
  const ssh = await Ssh.open(outputs.operations.connection);
  try {
    return await action(ssh, outputs);
  } finally {
    ssh.close();
  }
}

/** A stack's name as typed. @throws OpsError that lists those there are */
export function knownStack(outputs: StackOutputs, name: string): string {
  const { stacks } = outputs.operations;
  if (stacks.includes(name)) return name;
  throw new OpsError(`this stack has no ${name}; it has ${stacks.join(", ")}`);
}

/**
 * Runs a program of the host, with the operator's name for its history, and gives what it printed.
 *
 * @throws OpsError with its words where it fails
 */
export async function act(
  ssh: Ssh,
  program: "cloudcode-backup" | "cloudcode-guest" | "cloudcode-host",
  words: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const script = `operator=$1 program=$2; shift 2; CLOUDCODE_OPERATOR=$operator exec "/opt/cloudcode/bin/$program" "$@"`;
  return (await ssh.script(script, [operatorName(), program, ...words], options)).stdout.trim();
}

/** Who stands in the host's history. */
function operatorName(): string {
  return `${userInfo().username}@${hostname()}`;
}
