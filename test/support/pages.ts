import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./project-root";

/** A page of the documentation. */
export interface Page {
  /** Path below the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** The Markdown pages that describe the product as it is now; the changelog also describes what was. */
export function readPages(): Page[] {
  const top = readdirSync(projectRoot).filter((file) => file.endsWith(".md") && file !== "CHANGELOG.md");
  const below = readdirSync(join(projectRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file));
  return [...top, ...below].sort().map((path) => ({ path, text: readFileSync(join(projectRoot, path), "utf8") }));
}

/** Contents of the fenced blocks with shell commands. */
export function shellBlocks(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

/** A page without its fenced blocks. */
export function withoutBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, "");
}

/** Contents of the code spans; a cell of a table writes a pipe as `\|`. */
export function codeSpans(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`]+)`/g)].map(([, code = ""]) =>
    code.replaceAll("\\|", "|").replace(/\s+/g, " "),
  );
}

/** A page's prose: no code, and of links only what a reader sees. */
export function prose(text: string): string {
  return withoutBlocks(text)
    .replace(/`[^`]+`/g, "")
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/https?:\/\/[^\s)>]+/g, "");
}

/** Targets of links and pictures. */
export function links(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** Anchors of the headings, as GitHub makes them of their words. */
export function anchors(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/ /g, "-"),
  );
}

/**
 * The simple commands of a shell text, each as its words: what `&&`, `||`, `;`, `|` and line ends part, without comments and
 * redirections. Quotes are taken off; what `$(…)` would give stays as it is written.
 */
export function commandsOf(text: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  const end = () => {
    if (words.length > 0) commands.push(words);
    words = [];
  };
  const token =
    /\\\n|[ \t]+|(?<comment>(?<![^\s])#[^\n]*)|(?<end>\n|&&|\|\||[;|&])|(?<redirection>[<>]+[ \t]*[^\s;&|]+)|(?<word>(?:\\[^\n]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|[^\s;&|<>"'\\])+)|[\s\S]/g;
  for (const { groups = {} } of text.matchAll(token)) {
    if (groups["end"] !== undefined) end();
    if (groups["word"] !== undefined) words.push(unquoted(groups["word"]));
  }
  end();
  return commands;
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])/g,
    (_all, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );
}
