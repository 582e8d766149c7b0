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

/** Any text of whole Unicode characters, most of them unlucky. A lone surrogate is no character and reaches no program. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join("")),
  fc
    .array(fc.oneof(pieces, fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 5 })
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
);

const seed = Number(process.env["FAST_CHECK_SEED"] ?? Date.now() & 0x7fffffff);

/** Many different hostile texts at once, for parsers that are slow to start. Its seed stands in the output of the tests. */
export function sample(count: number): string[] {
  const texts = [...new Set([...listed, ...fc.sample(hostileText, { numRuns: count, seed })])];
  process.stderr.write(`hostile texts: ${texts.length}, FAST_CHECK_SEED=${seed}\n`);
  return texts;
}
