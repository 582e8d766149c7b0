/** A piece of a text: as it is, or a secret by its name. */
export type Part = { readonly text: string } | { readonly secret: string };

/** What `${NAME}` in a compose file stands for. */
export interface Variables {
  readonly plain: Readonly<Record<string, string>>;
  readonly secrets: ReadonlySet<string>;
}

const name = /^[A-Za-z_][A-Za-z0-9_]*/;

/**
 * Replaces variables as Docker Compose does (https://docs.docker.com/reference/compose-file/interpolation/), but knows those of
 * app.yaml alone: the operator's environment never counts.
 *
 * @throws Error whose message completes the sentence "KEY …", for a variable without a value and for wrong syntax
 */
export function interpolate(value: string, variables: Variables): Part[] {
  return pieces(value, variables, false).parts;
}

/** The text of parts without a secret; undefined where there is one. */
export function plainText(parts: readonly Part[]): string | undefined {
  const texts = parts.map((part) => ("text" in part ? part.text : undefined));
  return texts.includes(undefined) ? undefined : texts.join("");
}

/** Up to the end, or within braces up to the `}` that closes them. */
function pieces(value: string, variables: Variables, within: boolean): { parts: Part[]; rest: string } {
  const parts: Part[] = [];
  let rest = value;
  while (rest !== "" && !(within && rest.startsWith("}"))) {
    const plain = (within ? /^[^$}]+/ : /^[^$]+/).exec(rest)?.[0];
    if (plain !== undefined) {
      parts.push({ text: plain });
      rest = rest.slice(plain.length);
    } else if (rest.startsWith("$$")) {
      parts.push({ text: "$" });
      rest = rest.slice(2);
    } else {
      const found = variable(rest.slice(1), variables);
      parts.push(...found.parts);
      rest = found.rest;
    }
  }
  return { parts, rest };
}

/** @param text what follows a `$` */
function variable(text: string, variables: Variables): { parts: Part[]; rest: string } {
  const braces = text.startsWith("{");
  const found = name.exec(braces ? text.slice(1) : text)?.[0];
  if (found === undefined) throw new Error("has a $ that begins no variable: write $$ for the character itself");
  const known = valueOf(found, variables);
  if (!braces) return { parts: known ?? fail(found), rest: text.slice(found.length) };
  const [, operator = "", after = ""] = /^(:?[-+?])?([^]*)$/.exec(text.slice(1 + found.length)) ?? [];
  const inner = pieces(after, variables, true);
  if (!inner.rest.startsWith("}")) throw new Error(`has a \${${found} without its }`);
  if (operator === "" && inner.parts.length > 0)
    throw new Error(`has a \${${found}…} that Docker Compose does not know`);
  const rest = inner.rest.slice(1);
  const set = known !== undefined && !(operator.startsWith(":") && plainText(known) === "");
  if (operator.endsWith("+")) return { parts: set ? inner.parts : [], rest };
  if (set) return { parts: known, rest };
  return { parts: operator.endsWith("-") ? inner.parts : fail(found), rest };
}

function valueOf(variable: string, { plain, secrets }: Variables): Part[] | undefined {
  if (secrets.has(variable)) return [{ secret: variable }];
  const text = Object.hasOwn(plain, variable) ? plain[variable] : undefined;
  return text === undefined ? undefined : [{ text }];
}

function fail(variable: string): never {
  throw new Error(
    `uses \${${variable}}, which has no value: give it one in environment of app.yaml, or list it in secrets`,
  );
}
