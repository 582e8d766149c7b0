import fc from "fast-check";

/** Texts that break careless quoting, each for a reason of its own. */
export const listed: readonly string[] = [
  "",
  " ",
  " leading and trailing ",
  "\t",
  "\n",
  "line\nline\n",
  "\r\n",
  "$",
  "$$",
  "$HOME ${HOME} ${HOME:-x} $(id) `id` $1",
  "{{x}} {{{x}}} {{#if x}} \\{{x}}",
  "{$HOME} {env.HOME}",
  "%s %d %% %2F",
  "& < > \" ' ` &amp; </script>",
  "# comment",
  "a #b",
  "a: b",
  "- a",
  "? a",
  "| >",
  "! !!str *a &a @ ~",
  "yes",
  "null",
  "1e3",
  "0o17",
  "[a, b]",
  "{a: b}",
  "'",
  "''",
  "'\\''",
  '"',
  '\\"',
  "\\",
  "\\\\",
  "\\n",
  "a\\",
  "\u0001\u001b[31m",
  "\u007f\u0085\u009f",
  "\u2028\u2029\ufeff\ufffe\uffff",
  "é ü ß 密码 пароль",
  "🔑🔐 👩‍💻",
  "a=b=c",
  "--flag",
  "<<EOF",
];

const pieces = fc.constantFrom(...listed, ..."$&<>\"'`#\\\n %{}|;:=~!*?".split(""));

const surrogates = { first: 0xd800, count: 0x800 };
/**
 * Any whole Unicode character, as fast-check's unit "binary" draws it. That one lists a million characters to tell the place of
 * one: a second for each test file.
 */
export const character: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - surrogates.count }).map(
  (index) => String.fromCodePoint(index < surrogates.first ? index : index + surrogates.count),
  (text) => {
    const [one] = typeof text === "string" ? text : [];
    const code = one?.codePointAt(0) ?? -1;
    if (one !== text || (code >= surrogates.first && code < surrogates.first + surrogates.count))
      throw new Error("not one character");
    return code < surrogates.first ? code : code - surrogates.count;
  },
);

/** Any text of whole Unicode characters, most of them unlucky. A lone surrogate is no character and reaches no program. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join("")),
  fc
    .array(fc.oneof(pieces, fc.string({ unit: character, maxLength: 4 })), { maxLength: 5 })
    .map((parts) => parts.join("")),
  fc.string({ unit: character, maxLength: 20 }),
);

const seed = Number(process.env["FAST_CHECK_SEED"] ?? Date.now() & 0x7fffffff);

/** Many different hostile texts at once, for parsers that are slow to start. Its seed stands in the output of the tests. */
export function sample(count: number): string[] {
  const texts = [...new Set([...listed, ...fc.sample(hostileText, { numRuns: count, seed })])];
  process.stderr.write(`hostile texts: ${texts.length}, FAST_CHECK_SEED=${seed}\n`);
  return texts;
}
