import { userInfo, hostname } from "node:os";
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

/** Who stands in the host's history. */
export function operatorName(): string {
  return `${userInfo().username}@${hostname()}`;
}
