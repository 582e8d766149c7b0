/** What a text says that may be no JSON: undefined then. A schema decides whether it is the JSON that was asked for. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
