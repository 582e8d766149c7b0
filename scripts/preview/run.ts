import { CommandError, type Output } from "../../cli/run";
import { type Preview, parsePreview } from "../../cli/preview";

/** A preview that ran, and whether the engine calls it failed. */
export interface Outcome {
  readonly preview: Preview;
  readonly failed: boolean;
}

/** Resources that stay the same are printed, too: a change of protection alone is no operation of the engine. */
export const previewCommand = ["preview", "--json", "--show-sames"];

/**
 * @param command a run of `pulumi preview --json`
 * @throws CommandError when the CLI failed before it printed a preview; Error when it printed none
 */
export async function outcomeOf(command: Promise<Output>): Promise<Outcome> {
  try {
    const { stdout } = await command;
    return { preview: parsePreview(stdout), failed: false };
  } catch (error) {
    if (!(error instanceof CommandError) || !error.output.stdout.trimStart().startsWith("{")) throw error;
    return { preview: parsePreview(error.output.stdout), failed: true };
  }
}
