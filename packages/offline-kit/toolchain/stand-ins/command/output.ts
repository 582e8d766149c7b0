import { isUtf8 } from "node:buffer";
import { StringDecoder } from "node:string_decoder";
import type { Operation } from "../plugin/provider";
import type { Value } from "../plugin/values";
import type { Captured } from "./lifecycle";

type Channel = "stdout" | "stderr";

/** Collects what a command prints: each stream whole, both as they came for the error text, and lines for the log. */
export class Output {
  readonly #chunks: { readonly channel: Channel; readonly data: Buffer }[] = [];
  readonly #decoder = new StringDecoder("utf8");
  #unfinishedLine = "";

  constructor(
    private readonly logging: Value | undefined,
    private readonly operation: Operation,
  ) {}

  add(channel: Channel, data: Buffer): void {
    this.#chunks.push({ channel, data });
    if (this.logging !== undefined && this.logging !== channel && this.logging !== "stdoutAndStderr") return;
    const lines = (this.#unfinishedLine + this.#decoder.write(data)).split("\n");
    this.#unfinishedLine = lines.pop() ?? "";
    for (const line of lines) this.operation.status(line.replace(/\r$/, ""));
  }

  /** The result of a command that succeeded. @throws Error in the real provider's words where it is no text */
  finish(): Captured {
    this.#flush();
    if (!isUtf8(Buffer.concat(this.#chunks.map(({ data }) => data))))
      throw new Error("grpc: error while marshaling: string field contains invalid UTF-8");
    return { stdout: this.#text("stdout").replace(/\n$/, ""), stderr: this.#text("stderr").replace(/\n$/, "") };
  }

  /** The error of a command that did not: what happened, the quoted command, all it printed. */
  failure(reason: string, command: string): Error {
    this.#flush();
    return new Error(`${reason}: running ${quote(command)}:\n${this.#text()}`);
  }

  #flush(): void {
    if (this.#unfinishedLine !== "") this.operation.status(this.#unfinishedLine);
    this.#unfinishedLine = "";
  }

  #text(only?: Channel): string {
    const chosen = this.#chunks.filter(({ channel }) => only === undefined || channel === only);
    return Buffer.concat(chosen.map(({ data }) => data)).toString("utf8");
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** Quotes like Go's %q, because that is what the real provider's errors show. */
export function quote(text: string): string {
  const quoted = Array.from(text, (character) => {
    const escape = ESCAPES[character];
    if (escape !== undefined) return escape;
    if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) return character;
    const code = (character.codePointAt(0) ?? 0).toString(16);
    if (code.length <= 2 && character < "\x80") return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
  return `"${quoted.join("")}"`;
}
