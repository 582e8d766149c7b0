const escape = "\u001b";

/**
 * Text that others wrote, for a terminal: without control characters, so that none moves the cursor, sets a title, or writes into the
 * clipboard, and without those that reorder a line. Colours stay (ECMA-48, 8.3.117: SGR).
 */
export function harmless(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Bidi_C}\p{Zl}\p{Zp}](\[[\d;]*m)?/gu,
    (found: string, colour: string | undefined) => {
      const [first = ""] = found;
      return (first === escape && colour !== undefined) || first === "\t" || first === "\n" ? found : (colour ?? "");
    },
  );
}

/** Calls with each whole line of a stream of bytes; call the result with the rest at its end. */
export function lineByLine(use: (line: string) => void): { take: (chunk: Buffer) => void; end: () => void } {
  let held = Buffer.alloc(0);
  return {
    take(chunk) {
      held = Buffer.concat([held, chunk]);
      for (let end = held.indexOf(10); end >= 0; end = held.indexOf(10)) {
        use(held.subarray(0, end).toString());
        held = held.subarray(end + 1);
      }
    },
    end() {
      if (held.length > 0) use(held.toString());
    },
  };
}
