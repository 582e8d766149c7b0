import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { jsonOf } from "../../cli/json";
import { guardedChanges, isAllowed } from "./policy";
import type { Outcome } from "./run";
import { type Section, summaryOf } from "./summary";

/** An outcome with its heading. */
export interface Titled extends Outcome {
  readonly title: string;
}

export interface ReportOptions {
  /** Where the summary is written to. */
  readonly file: string;
  /** Labels of the pull request. */
  readonly labels: readonly string[];
}

/** Writes the summary to standard output, a file and GitHub's summary of the step; whether all is well. */
export function report(outcomes: readonly Titled[], { file, labels }: ReportOptions): boolean {
  const sections = outcomes.map(({ title, preview }): Section => {
    const guarded = guardedChanges(preview);
    return { title, preview, guarded, allowed: isAllowed(guarded, labels) };
  });
  const text = summaryOf(sections);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  // https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
  const step = process.env["GITHUB_STEP_SUMMARY"];
  if (step) appendFileSync(step, text);
  console.log(text);
  return outcomes.every(({ failed }) => !failed) && sections.every(({ allowed }) => allowed);
}

/**
 * The labels of a pull request as GitHub's toJSON prints them; none where the variable is not set.
 *
 * @throws Error when it is no JSON list of texts
 */
export function labelsOf(json: string | undefined): readonly string[] {
  if (!json) return [];
  const parsed = z.array(z.string()).safeParse(jsonOf(json));
  if (!parsed.success) throw new Error(`PREVIEW_LABELS is not a JSON list of texts, such as ["allow-replace"].`);
  return parsed.data;
}
