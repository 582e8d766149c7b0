import { text } from "node:stream/consumers";
import type { z } from "zod";
import { unanswered } from "./api";

/**
 * The frame of what Pulumi runs on the operator's machine for Cloudflare: JSON on standard input, `work`'s line on standard output; a
 * failure is one sentence on standard error and exit code 1.
 */
export async function runScript<T>(schema: z.ZodType<T>, work: (input: T) => Promise<string>): Promise<void> {
  try {
    console.log(await work(schema.parse(JSON.parse(await text(process.stdin)))));
  } catch (error) {
    console.error(unanswered(error));
    process.exitCode = 1;
  }
}
