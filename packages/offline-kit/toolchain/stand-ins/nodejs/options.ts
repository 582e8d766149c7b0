import type { Value, ValueMap } from "../plugin/values";

export type PackageManager = "auto" | "npm" | "yarn" | "pnpm" | "bun";

/** The `runtime.options` of Pulumi.yaml. */
export interface RuntimeOptions {
  readonly typescript: boolean;
  readonly tsconfig: string;
  readonly nodeargs: readonly string[];
  readonly packagemanager: PackageManager;
}

const MANAGERS: readonly PackageManager[] = ["auto", "npm", "yarn", "pnpm", "bun"];

function stringOption(options: ValueMap, name: string): string {
  const value: Value = options[name] ?? "";
  if (typeof value !== "string") throw new Error(`${name} option must be a string`);
  return value;
}

/** Splits arguments as a shell would, without expanding anything. */
export function splitArguments(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (character === "\\" && quote !== "'") {
      word = (word ?? "") + line.charAt(++i);
    } else if (character === quote) {
      quote = "";
    } else if (quote === "" && (character === '"' || character === "'")) {
      quote = character;
      word ??= "";
    } else if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") throw new Error("EOF found when expecting closing quote");
  return word === undefined ? words : [...words, word];
}

/** Reads the runtime options, refusing what the official host refuses. */
export function parseOptions(options: ValueMap): RuntimeOptions {
  const typescript = options["typescript"] ?? true;
  if (typeof typescript !== "boolean") throw new Error("typescript option must be a boolean");
  const wanted = stringOption(options, "packagemanager") || "auto";
  const packagemanager = MANAGERS.find((name) => name === wanted);
  if (!packagemanager) {
    throw new Error(`packagemanager option must be one of auto, npm, yarn, pnpm or bun, got "${wanted}"`);
  }
  return {
    typescript,
    tsconfig: stringOption(options, "tsconfig"),
    nodeargs: splitArguments(stringOption(options, "nodeargs")),
    packagemanager,
  };
}
