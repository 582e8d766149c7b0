import { text } from "node:stream/consumers";
import { OpsError } from "./stack";

/** Reads a new password: twice without echo at a terminal, else the whole of standard input but for its last line end. */
export async function newPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, "");
  const first = await hidden("New password: ");
  if (first !== (await hidden("Again: "))) throw new OpsError("the two passwords differ; nothing was changed");
  return first;
}

/** Asks a yes or no; without a terminal the answer is no. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

function hidden(question: string): Promise<string> {
  process.stderr.write(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = () => {
      stdin.off("data", read);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write("\n");
    };
    const read = (chunk: Buffer) => {
      for (const letter of chunk.toString("utf8")) {
        if (letter === "\r" || letter === "\n") {
          end();
          resolve(typed);
          return;
        }
        if (letter === "\u0003") {
          end();
          reject(new OpsError("cancelled; nothing was changed"));
          return;
        }
        typed = letter === "\u007f" ? typed.slice(0, -1) : typed + letter;
      }
    };
    stdin.on("data", read);
  });
}
