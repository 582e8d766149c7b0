// The steps of the check: what they do to a stack, and what must hold after each.
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import type { Emulator } from "../src/emulator";
import type { Fault } from "../src/faults";
import type { Wanted } from "./program";
import { program } from "./program";

export const say = (line: string): void => {
  console.log(line);
};

/** Fails the check with what was seen instead. */
export function expect(what: string, seen: unknown, wanted: unknown): void {
  if (JSON.stringify(seen) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
}

/** One stack on one emulator. */
export class Check {
  constructor(
    private readonly stack: Stack,
    readonly emulator: Emulator,
  ) {}

  async #step<T>(name: string, run: () => Promise<T>): Promise<T> {
    const { journal } = this.emulator;
    journal.operation = name;
    const [start, before] = [Date.now(), journal.calls.length];
    const result = await run();
    const calls = journal.calls.length - before;
    say(`${name}: ${((Date.now() - start) / 1000).toFixed(1)} s, ${calls} calls`);
    return result;
  }

  /** Brings the stack to `wanted`, then sees no difference in a preview, nor after a refresh. */
  async up(name: string, wanted: Wanted): Promise<OutputMap> {
    this.stack.workspace.program = program(wanted);
    const output: string[] = [];
    const onOutput = (text: string): void => void output.push(text);
    const { outputs, summary } = await this.#step(name, () => this.stack.up({ onOutput })).catch((error: unknown) => {
      say(output.join(""));
      throw error;
    });
    say(`  ${JSON.stringify(summary.resourceChanges)}`);
    await this.#unchanged(`${name}, preview`, () => this.stack.preview({ diff: true }));
    await this.#unchanged(`${name}, refresh`, () => this.stack.refresh());
    await this.#unchanged(`${name}, preview after refresh`, () => this.stack.preview({ diff: true }));
    return outputs;
  }

  async #unchanged(
    name: string,
    run: () => Promise<{ stdout: string; changeSummary?: object; summary?: { resourceChanges?: object } }>,
  ): Promise<void> {
    const { stdout, changeSummary, summary } = await this.#step(name, run);
    const changes = Object.keys(changeSummary ?? summary?.resourceChanges ?? {}).filter((kind) => kind !== "same");
    if (changes.length > 0)
      throw new Error(`${name} has differences: ${changes.join()} ${stdout.replaceAll("\n", " ")}`);
  }

  async refresh(name: string): Promise<void> {
    await this.#step(name, () => this.stack.refresh());
  }

  /** An `up` that must fail; tells with what. */
  async fails(name: string, fault: Fault, wanted: Wanted): Promise<void> {
    this.emulator.fail(fault);
    this.stack.workspace.program = program(wanted);
    const output: string[] = [];
    const result = await this.#step(name, () =>
      this.stack.up({ onOutput: (text) => void output.push(text) }).then(
        () => "nothing failed",
        () => /\bCode: (\S+)/.exec(output.join(""))?.[1] ?? output.join(""),
      ),
    );
    this.emulator.faults.clear();
    say(`  ${result}`);
  }

  async destroy(): Promise<void> {
    await this.#step("destroy", () => this.stack.destroy());
    expect("inventory after destroy", this.emulator.inventory(), []);
  }
}
