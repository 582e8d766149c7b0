import { type GuardedChange, allowLabel } from "./policy";
import { type Act, type Preview, type Step, actOf, nameOf, typeOf } from "../../cli/preview";

/** GitHub refuses a comment of more than 65,536 characters. */
const longest = 60_000;

/** One preview and what is to be said of it. */
export interface Section {
  readonly title: string;
  readonly preview: Preview;
  /** What the policy found in it. */
  readonly guarded: readonly GuardedChange[];
  /** Whether a label allows that. */
  readonly allowed: boolean;
}

/** Previews as Markdown: what happens to what, the price of a month, warnings. No input or output of a resource is in it. */
export function summaryOf(sections: readonly Section[]): string {
  const text = `${sections.map(section).join("\n\n")}\n`;
  return text.length <= longest ? text : `${text.slice(0, longest)}\n\n(cut: the job's log has the rest)\n`;
}

function section({ title, preview, guarded, allowed }: Section): string {
  const of = (act: Act) => preview.steps.filter((step) => actOf(step) === act);
  const saidBy = (severity: RegExp) => preview.diagnostics.filter((one) => severity.test(one.severity));
  const cost = saidBy(/^info/).filter(({ message }) => / [A-Z]{3} a month/.test(message));
  const notes = saidBy(/^info/).filter((one) => !cost.includes(one));
  const parts = [
    `## ${title}`,
    counts(preview, of),
    ...cost.map(({ message }) => `**Cost:** ${plain(message)}`),
    ...verdict(guarded, allowed),
    ...list("Errors", saidBy(/^error/).map(quoted)),
    ...list("Warnings", saidBy(/^warning/).map(quoted)),
    ...list("Notes", notes.map(quoted)),
    ...list("Replaced", of("replaced").map(row)),
    ...list("Deleted", of("deleted").map(row)),
    ...list("Changed", of("changed").map(row)),
    ...folded("Created", of("created").map(row)),
  ];
  return parts.join("\n\n");
}

function counts({ changeSummary }: Preview, of: (act: Act) => readonly Step[]): string {
  const acts = ["created", "changed", "replaced", "deleted"] as const;
  const numbers = [...acts.map((act) => [of(act).length, act] as const), [changeSummary.same, "unchanged"] as const];
  const words = numbers.filter(([count]) => count > 0).map(([count, act]) => `${count} ${act}`);
  return `${words.join(", ") || "Nothing"}.`;
}

function verdict(guarded: readonly GuardedChange[], allowed: boolean): string[] {
  if (guarded.length === 0) return [];
  const rule = allowed
    ? `Allowed by the label ${code(allowLabel)}:`
    : `**Refused:** the label ${code(allowLabel)} would allow this.`;
  const lines = guarded.map(({ what, name, act, because }) => {
    const reasons = because.length === 0 ? "" : `, because of ${because.map(code).join(", ")}`;
    return `- ${what} ${code(name)} is ${act}${reasons}`;
  });
  return [`${rule}\n\n${lines.join("\n")}`];
}

function row(step: Step): string {
  const reasons = step.replaceReasons.length > 0 ? step.replaceReasons : step.diffReasons;
  const words = reasons.length === 0 ? "" : `: ${reasons.toSorted().map(code).join(", ")}`;
  return `${code(nameOf(step))} (${code(typeOf(step))})${words}`;
}

const quoted = ({ message }: Preview["diagnostics"][number]) => code(message);

function list(title: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : [`### ${title}\n\n${rows.map((one) => `- ${one}`).join("\n")}`];
}

function folded(title: string, rows: readonly string[]): string[] {
  const inner = rows.map((one) => `- ${one}`).join("\n");
  return rows.length === 0 ? [] : [`<details><summary>${title}</summary>\n\n${inner}\n\n</details>`];
}

/** Names and messages may come from anybody's pull request, so that nothing in them can be more than a text. */
function code(text: string): string {
  return `\`${oneLine(text).replaceAll("`", "'")}\``;
}

/** The same outside a code span. */
function plain(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]<>#|@!~&]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/[\s\p{Cc}]+/gu, " ");
}
