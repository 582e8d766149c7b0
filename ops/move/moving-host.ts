import type { Say } from "../../cli/run";
import { act } from "../host";
import { Ssh } from "../ssh";
import { OpsError, type StackChoice, type StackOutputs, readOutputs } from "../stack";
import type { Side } from "./plan";
import { sidesIn } from "./refusals";

/** Longest `up`, full backup or restore, in ms. */
export const longest = 12 * 3600_000;

/** Whether its programs, and the page of its edge, know a move. */
const knows = `[ -e /opt/cloudcode/bin/backup-move.sh ] && grep -qs 'try_files /moving' /opt/cloudcode/stacks/edge/releases/current/live/Caddyfile && echo yes || echo no`;

/** The host of a stack that a home leaves, or goes to. */
export class MovingHost {
  private constructor(
    private readonly name: string,
    readonly ssh: Ssh,
    readonly outputs: StackOutputs,
    private readonly say: Say,
  ) {}

  /** @param name of the stack @throws OpsError where its machine is switched off */
  static async reach(choice: StackChoice, name: string, say: Say): Promise<MovingHost> {
    const outputs = await readOutputs(choice);
    if (!outputs.operations.awake) throw new OpsError(`the machine of ${name} is switched off`);
    return new MovingHost(name, await Ssh.open(outputs.operations.connection), outputs, say);
  }

  async knowsMoves(): Promise<boolean> {
    return (await this.ssh.script(knows)).stdout.trim() === "yes";
  }

  /** What each of its stacks does. */
  async sides(): Promise<Map<string, Side>> {
    return sidesIn(await this.ask("places"));
  }

  /** Size of the data, and what is free, in KiB. */
  async room(): Promise<{ readonly used: number; readonly free: number }> {
    const [used = 0, free = 0] = (await this.ask("room")).split(" ").map(Number);
    return { used, free };
  }

  /** Runs a step of cloudcode-backup, and gives what it printed. */
  async act(...words: readonly string[]): Promise<string> {
    const printed = await this.ask(...words);
    this.say(`${this.name}: ${words.slice(0, 2).join(" ")}`);
    return printed;
  }

  /** Starts a stack, and waits until it is healthy. */
  async start(stack: string): Promise<void> {
    await act(this.ssh, "cloudcode-host", ["start", stack], { timeoutMs: longest });
  }

  private ask(...words: readonly string[]): Promise<string> {
    return act(this.ssh, "cloudcode-backup", words, { timeoutMs: longest });
  }
}

/** The snapshot that a last backup named. @throws OpsError where the last line is none */
export function snapshotIn(printed: string, stack: string): string {
  const last = printed.split("\n").at(-1) ?? "";
  if (!/^[0-9a-f]{8,64}$/.test(last)) throw new OpsError(`the last backup of ${stack} has no name: ${last}`);
  return last;
}
