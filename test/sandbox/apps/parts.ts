import type { Sandbox } from "../../../sandbox/sandbox";

/**
 * Whether the Apps are the replacements made here, which play a provider, a tunnel's edge or a page that the publishers' own do
 * not. Where they are the publishers' own, a line says what the test does not assert then.
 */
export function replaced({ origin }: Pick<Sandbox, "origin">, notAsserted: string): boolean {
  if (origin === "official") process.stderr.write(`NOT ASSERTED with the publishers' parts: ${notAsserted}\n`);
  return origin === "stand-in";
}
