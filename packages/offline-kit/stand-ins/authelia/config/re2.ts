// Stand-in for Authelia 4.39.20: takes Go RE2 patterns into JavaScript and refuses what RE2 would refuse.
export type Re2Result = { readonly pattern: RegExp } | { readonly fault: string };

const letterEscapes = new Set("afnrtvbBdDsSwW");

/** Pure: a pattern that cannot be carried over faithfully is a fault, never a guess. */
export function compileRe2(source: string): Re2Result {
  let text = source;
  let flags = "";
  const leading = /^\(\?([ims]+)\)/.exec(text);
  if (leading) {
    flags = [...new Set(leading[1])].join("");
    text = text.slice(leading[0].length);
  }
  const translated = translate(text);
  if ("fault" in translated) return { fault: `error parsing regexp: ${translated.fault}: \`${source}\`` };
  try {
    return { pattern: new RegExp(translated.text, flags) };
  } catch (error) {
    return { fault: `error parsing regexp: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function translate(source: string): { text: string } | { fault: string } {
  let out = "";
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i);
    const next = source.charAt(i + 1);
    if (char === "\\") {
      if (next === "") return { fault: "trailing backslash at end of expression" };
      if (next === "A" && !inClass) out += "^";
      else if (next === "z" && !inClass) out += "$";
      else if (/[A-Za-z0-9\u0080-\uffff]/.test(next) && !letterEscapes.has(next))
        return { fault: `invalid escape sequence: \\${next}` };
      else if (inClass && (next === "b" || next === "B")) return { fault: `invalid escape sequence: \\${next}` };
      else out += char + next;
      i++;
    } else if (inClass) {
      if (char === "[" && next === ":") return { fault: "a POSIX class, which this stand-in does not know" };
      if (char === "]") inClass = false;
      out += char;
    } else if (char === "[") {
      inClass = true;
      const negated = next === "^" ? 1 : 0;
      if (source.charAt(i + 1 + negated) === "]") return { fault: "missing closing ]" };
      out += char;
    } else if (char === "(" && next === "?") {
      const group = /^\(\?(?::|P<[A-Za-z_]\w*>|<[A-Za-z_]\w*>)/.exec(source.slice(i));
      if (!group) return { fault: `invalid or unsupported Perl syntax: ${source.slice(i, i + 4)}` };
      out += group[0].replace("(?P<", "(?<");
      i += group[0].length - 1;
    } else {
      out += char;
    }
  }
  const repeat = [...source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].some(
    (match) => Number(match[1]) > 1000 || Number(match[2]) > 1000,
  );
  return repeat ? { fault: "invalid repeat count" } : { text: out };
}
