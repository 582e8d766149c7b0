import { hostOf, portalSubdomain } from "../../components/routes";
import { act, knownStack, onHost } from "../host";
import { OpsError, type StackChoice, appliedStacks, pulumi } from "../stack";
import { readSignIns } from "./access-log";
import { columns } from "./containers";

const file = "/opt/cloudcode/stacks/.history";

/** One change of the host, as cloudcode-host recorded it, or one sign-in. */
export interface HistoryLine {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly operator: string;
  readonly stack: string;
  readonly action: string;
  readonly release: string;
  readonly result: string;
}

export function parseHistory(text: string): HistoryLine[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [time = "", operator = "", stack = "", action = "", release = "", result = ""] = line.split("\t");
    return { time, operator, stack, action, release, result };
  });
}

export function renderHistory(lines: readonly HistoryLine[]): string {
  return columns(lines.map((line) => [line.time, line.stack, line.action, line.release, line.result, line.operator]));
}

/** What was changed on the host, and who signed in, oldest first. */
export async function history(choice: StackChoice, count: number): Promise<HistoryLine[]> {
  return onHost(choice, async (ssh, { operations }) => {
    const { stdout } = await ssh.script(`[ ! -e ${file} ] || tail -n "$1" ${file}`, [String(count)]);
    const seen = await readSignIns(
      ssh,
      hostOf({ subdomain: portalSubdomain }, operations.domain),
      count,
      operations.people !== undefined,
    );
    return inOrder(parseHistory(stdout), seen).slice(-count);
  });
}

/** Two lists of lines in the order of their times. */
export function inOrder(changes: readonly HistoryLine[], seen: readonly HistoryLine[]): HistoryLine[] {
  return [...changes, ...seen].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

/**
 * Returns to an earlier release at once, and taints the command that applied the program's: the next preview shows that it
 * will run again, and the next `up` runs it (https://www.pulumi.com/docs/iac/cli/commands/pulumi_state_taint/).
 *
 * @param release id; undefined: the one before
 */
export async function rollback(choice: StackChoice, app: string, release: string | undefined): Promise<string> {
  const words = await onHost(choice, (ssh, outputs) =>
    act(ssh, "cloudcode-host", ["rollback", knownStack(outputs, app), ...(release === undefined ? [] : [release])]),
  );
  if (!/release \w+ of \S+ is running/.test(words)) return words;
  try {
    const command = appliedStacks(await pulumi(choice, ["stack", "export"]))[app]?.command;
    if (command === undefined) throw new OpsError(`it has no release of ${app}`);
    await pulumi(choice, ["state", "taint", command, "--yes"]);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    throw new OpsError(
      `${words}\nBut the state could not be marked: ${error.message}. pulumi up sees no difference; pulumi up --target-replace '**${app}-release' applies the program's release again.`,
      { cause: error },
    );
  }
  return `${words}\nThe state is marked: the next pulumi preview shows a replacement of ${app}-release, and the next pulumi up applies the program's release again.`;
}
