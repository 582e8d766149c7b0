import { text } from "node:stream/consumers";
import { z } from "zod";
import { explainFault } from "../api/faults";

/** An error whose message is the sentence to show. */
export class ScriptError extends Error {}

/**
 * The frame of what Pulumi runs on the operator's machine: JSON on standard input, `work`'s line on standard output; a
 * failure is one sentence on standard error and exit code 1.
 */
export async function runScript<T>(schema: z.ZodType<T>, work: (input: T) => Promise<string>): Promise<void> {
  try {
    console.log(await work(await readInput(schema)));
  } catch (error) {
    console.error(sentenceOf(error));
    process.exitCode = 1;
  }
}

async function readInput<T>(schema: z.ZodType<T>): Promise<T> {
  const input = await text(process.stdin);
  try {
    return schema.parse(JSON.parse(input));
  } catch (error) {
    throw new ScriptError(`The input of this script is not valid: ${problemOf(error)}`);
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof ScriptError) return error.message;
  if (error instanceof z.ZodError) return `Alibaba Cloud answered in an unknown format: ${problemOf(error)}`;
  const said = problemOf(error);
  return explainFault(said) ?? said;
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError)
    return error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  return error instanceof Error ? error.message : String(error);
}
