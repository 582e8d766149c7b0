import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TemplateValues } from "../../components/stack/template";
import { renderTemplate } from "../../components/stack/template";
import { shellWord } from "../../components/stack/escape";
import { workerLook } from "../../components/workers/app-worker";
import { type Check, ok, red, warn } from "../status/check";

const templates = resolve(__dirname, "..", "..", "stack-templates");
const folder = join(templates, "host", "look");

/** What the host's shell is given: it reads the look from standard input, and no program of it reads the rest. */
export const lookCommand = 'script=$(cat) && exec </dev/null && eval "$script"';

/**
 * The same look that install.sh begins with, to be judged by {@link judgeLook}.
 *
 * @param values of settings.sh
 * @param needs of the enabled Apps: least memory of the machine, and those that have images for x86-64 alone
 */
export function lookScript(
  values: TemplateValues,
  { memoryMiB = 0, x86Apps = [] }: { readonly memoryMiB?: number; readonly x86Apps?: readonly string[] },
): string {
  const needs = [`memory_mib=${memoryMiB}`, `x86_apps=${shellWord(x86Apps.join(" "))}`];
  return script("host", values, needs, readdirSync(folder).sort());
}

/** The same look that a worker's upkeep.sh begins with. @param values of settings.sh */
export function workerLookScript(values: TemplateValues): string {
  return script("worker", values, [], workerLook);
}

function script(role: string, values: TemplateValues, more: readonly string[], parts: readonly string[]): string {
  return [
    "export LOOK_FORMAT=lines",
    renderTemplate(readFileSync(join(templates, role, "settings.sh.hbs"), "utf8"), values),
    ...more,
    ...parts.map((part) => readFileSync(join(folder, part), "utf8")),
  ].join("\n");
}

/** `look`, severity, code, sentence, fix; the look prints no other characters of what the machine says. */
const finding = /^look\t(blocks|warns)\t([a-z0-9-]+)\t([ -~]+)\t([ -~]+)$/;
const ending = /^look\tend\t(\d+)$/;

/** What the look found. Other lines are those of a login shell that greets, and count for nothing. */
export function judgeLook(printed: string): Check[] {
  const lines = printed.split("\n").filter((line) => line.startsWith("look\t"));
  const total = Number(ending.exec(lines.at(-1) ?? "")?.[1] ?? -1);
  const checks = lines.slice(0, -1).flatMap((line) => {
    const [, severity, code = "", seen = "", fix = ""] = finding.exec(line) ?? [];
    if (severity === undefined) return [];
    return severity === "blocks" ? red(code, seen, fix) : warn(code, seen, fix);
  });
  if (checks.length !== total)
    return [
      ...checks,
      red("look", "the machine did not finish its answer", "run npm run ops -- ssh to see whether it answers"),
    ];
  return total === 0 ? [ok("machine", "no problem was found")] : checks;
}
