import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TemplateValues } from "../../components/stack/template";
import { renderTemplate } from "../../components/stack/template";
import type { Mirrors } from "../../components/mirrors";
import { shellWord } from "../../components/stack/escape";
import { workerLook } from "../../components/workers/app-worker";
import { type Check, ok, red, warn } from "../status/check";
import { type MirrorAnswer, judgeMirrors } from "./mirrors";

/** Folder of all templates. */
export const templates = resolve(__dirname, "..", "..", "stack-templates");
const folder = join(templates, "host", "look");

/** What the host's shell is given: it reads the look from standard input, and no program of it reads the rest. */
export const lookCommand = 'script=$(cat) && exec </dev/null && eval "$script"';

/**
 * The same look that install.sh begins with, to be judged by {@link judgeLook}.
 *
 * @param values of settings.sh
 * @param needs of the enabled Apps: least memory of the machine, those that have images for x86-64 alone, and the mirrors to be timed
 */
export function lookScript(
  values: TemplateValues,
  {
    memoryMiB = 0,
    x86Apps = [],
    mirrors = [],
  }: { readonly memoryMiB?: number; readonly x86Apps?: readonly string[]; readonly mirrors?: readonly string[] },
): string {
  const needs = [`memory_mib=${memoryMiB}`, `x86_apps=${shellWord(x86Apps.join(" "))}`];
  if (mirrors.length > 0) needs.push(`mirrors=${shellWord(mirrors.join("\n"))}`);
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
const timing = /^look\tmirror\t([A-Za-z0-9]+)\t([!-~]+)\t(\d+|none|lacks [ -~]+)$/;
const ending = /^look\tend\t(\d+)$/;

/**
 * What the look found. Other lines are those of a login shell that greets, and count for nothing.
 *
 * @param mirrors those in use; undefined where none are
 */
export function judgeLook(printed: string, mirrors?: Mirrors): Check[] {
  const lines = printed.split("\n").filter((line) => line.startsWith("look\t"));
  const total = Number(ending.exec(lines.at(-1) ?? "")?.[1] ?? -1);
  const answers = lines.flatMap((line): MirrorAnswer[] => {
    const [, kind, address = "", answer = ""] = timing.exec(line) ?? [];
    return kind === undefined ? [] : [{ kind, address, answer }];
  });
  const checks = lines.slice(0, -1).flatMap((line) => {
    const [, severity, code = "", seen = "", fix = ""] = finding.exec(line) ?? [];
    if (severity === undefined) return [];
    return severity === "blocks" ? red(code, seen, fix) : warn(code, seen, fix);
  });
  if (checks.length + answers.length !== total)
    return [
      ...checks,
      red("look", "the machine did not finish its answer", "run npm run ops -- ssh to see whether it answers"),
    ];
  const clean = checks.length === 0 ? [ok("machine", "no problem was found")] : checks;
  return mirrors === undefined ? clean : [...clean, ...judgeMirrors(answers, mirrors)];
}
