import { type Command, InvalidArgumentError } from "commander";
import { secondsOf } from "../commands/share";
import type { Answer } from "../shapes";
import type { StackChoice } from "../stack";

/** What the commands share. */
export interface Tools {
  /** Adds a command that takes `--json` and the options that choose a stack. */
  readonly add: (parent: Command, spec: string, description: string, isDefault?: true) => Command;
  /** Which stack, and whether the answer is JSON: as said before or after the command that runs. */
  readonly choice: () => StackChoice;
  readonly json: () => boolean;
  /** Prints an answer; with an exit code, that becomes the process's. */
  readonly give: (answer: Answer, exitCode?: number) => void;
  readonly print: (line: string) => void;
  readonly say: (line: string) => void;
  readonly colour: boolean;
}

/** A positive whole number of an argument. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("not a whole number above 0.");
  return Number(text);
}

/** Milliseconds since 1970. */
export function pastTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError("not a time.");
  return time;
}

/** Seconds. */
export function timeSpan(text: string): number {
  const seconds = secondsOf(text);
  if (seconds === undefined) throw new InvalidArgumentError("not a time such as 30m, 1h or 2d, up to 7d.");
  return seconds;
}

/** With passThroughOptions the `--` before a command's own words is left to it. */
export function afterDashes(words: readonly string[]): readonly string[] {
  return words[0] === "--" ? words.slice(1) : words;
}
