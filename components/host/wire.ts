import { randomBytes } from "node:crypto";
import { shellWord } from "../stack/escape";

/**
 * How a command travels to a machine, and how its answer is separated from other output of the account. The line that sshd hands to
 * the account's login shell has words that every shell reads alike (POSIX shells, csh, fish, rc, elvish …): letters, digits and
 * what stands between single quotes without a quote, backslash, `!` or line end. What it decodes is run by `sh`.
 */

/** How long a command may run on the machine. */
export interface Limit {
  /** After these seconds all its processes get SIGTERM. */
  readonly seconds: number;
  /** After these seconds more SIGKILL; meanwhile scripts put back what they began. */
  readonly graceSeconds: number;
}

/** A command that one connection carries, and how to read what comes back. */
export interface Parcel {
  /** For the login shell. */
  readonly line: string;
  readonly read: (stdout: string, stderr: string) => Answer;
}

/** How far a command came: to the login shell, to root, to its beginning, or to its end. */
export type Answer =
  | { readonly stage: "shell" | "root" | "begun"; readonly said: string }
  | { readonly stage: "ended"; readonly code: number; readonly stdout: string; readonly stderr: string };

/** What root's commands see of the account's environment: who connects, and the way out of the machine. */
const proxies = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"];
const kept = ["SSH_CONNECTION", "TERM", ...proxies, ...proxies.map((name) => name.toUpperCase())];
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";

/** Below the 1024 bytes that a word may have in csh. */
const wordLength = 400;

/** A command of `sh` that runs as root, by sudo where the user is another. */
export function parcel(user: string, command: string, limit?: Limit): Parcel {
  const mark = newMark();
  return {
    line: loginLine(user, command, { limit, mark, end: true }),
    read: (stdout, stderr) => readAnswer(mark, stdout, stderr),
  };
}

/** The same on a terminal, where a person reads the answer. */
export function terminalLine(user: string, command: string): string {
  return loginLine(user, command, {});
}

/** The same for an answer that is passed on while it comes. */
export function stream(user: string, command: string): { readonly line: string; readonly filter: () => Filter } {
  const mark = newMark();
  return { line: loginLine(user, command, { mark }), filter: () => new Filter(`${mark} root`) };
}

/** Holds back what comes before the command's own words. */
export class Filter {
  private held: Buffer | undefined = Buffer.alloc(0);

  constructor(private readonly line: string) {}

  /** What may be passed on by now. */
  pass(chunk: Buffer): Buffer {
    if (this.held === undefined) return chunk;
    this.held = Buffer.concat([this.held, chunk]);
    const rest = after(this.held.toString("latin1"), this.line);
    if (rest === undefined) return Buffer.alloc(0);
    this.held = undefined;
    return Buffer.from(rest, "latin1");
  }

  /** What was held back to the end, since the command never began. */
  rest(): Buffer {
    return this.held ?? Buffer.alloc(0);
  }
}

function newMark(): string {
  return `cloudcode-${randomBytes(8).toString("hex")}`;
}

interface Frame {
  readonly limit?: Limit | undefined;
  /** Begins the lines before the answer. @default none */
  readonly mark?: string;
  /** Whether a line behind the answer holds the command's exit code, too. */
  readonly end?: true;
}

function loginLine(user: string, command: string, { limit, mark, end }: Frame): string {
  const tell = (stage: string) =>
    mark === undefined ? [] : [`echo; echo ${mark} ${stage}; echo ${mark} ${stage} >&2`];
  const asRoot = [
    "umask 022",
    ...tell("root"),
    ...(limit ? bounded(command, limit) : [`sh -c ${shellWord(command)}`]),
    "code=$?",
    ...(mark === undefined || !end ? [] : [`echo; echo ${mark} end $code; { echo; echo ${mark} end; } >&2`]),
    "exit $code",
  ];
  const asUser = [
    ...tell("shell"),
    // The home may be missing, or closed to root.
    "cd /",
    "set --",
    `for name in ${kept.join(" ")}; do eval "[ -z \\"\\\${$name+x}\\" ] || set -- \\"\\$@\\" \\"$name=\\$$name\\""; done`,
    `exec ${user === "root" ? "" : "sudo -n "}env -i "$@" PATH=${path} HOME=/root LC_ALL=C sh -c ${shellWord(asRoot.join("\n"))}`,
  ];
  const words = base64Words(asUser.join("\n"));
  return `sh -c 'eval "$(printf %s "$@" | base64 -d)"' sh ${words.join(" ")}`;
}

/**
 * In a scope of systemd's, out of which no process gets away
 * (https://www.freedesktop.org/software/systemd/man/latest/systemd.scope.html). This shell stays outside, and says so.
 */
function bounded(command: string, { seconds, graceSeconds }: Limit): string[] {
  // The shell around a command waits for it, also when both get the signal to end.
  const script = `exec 9<&-; trap : TERM\n${command}`;
  const end = "cloudcode-script-end";
  return [
    "begin=$(date +%s)",
    "if [ -d /run/systemd/system ]; then",
    `  set -- systemd-run --quiet --collect --scope -p RuntimeMaxSec=${seconds} -p TimeoutStopSec=${graceSeconds}`,
    `else set -- timeout --kill-after=${graceSeconds} ${seconds}; fi`,
    // By a file descriptor, since systemd-run may expand what stands in its words.
    `"$@" sh /dev/fd/9 9<<'${end}'`,
    script,
    end,
    "code=$?",
    `[ $(($(date +%s) - begin)) -lt ${seconds} ] || echo "cloudcode: this took longer than ${duration(seconds)} on the machine and was ended" >&2`,
    "(exit $code)",
  ];
}

function duration(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Base64 without padding, in words. */
function base64Words(text: string): string[] {
  const missing = (3 - (Buffer.byteLength(text) % 3)) % 3;
  const encoded = Buffer.from(text + "\n".repeat(missing)).toString("base64");
  return Array.from({ length: Math.ceil(encoded.length / wordLength) }, (_, i) => {
    return `'${encoded.slice(i * wordLength, (i + 1) * wordLength)}'`;
  });
}

/** Without what the account's own start-up files, sudo or sshd print before and behind it. */
function readAnswer(mark: string, stdout: string, stderr: string): Answer {
  const said = (...texts: readonly string[]) =>
    texts
      .map((text) => text.trim())
      .filter(Boolean)
      .join("\n");
  const [out, err] = [after(stdout, `${mark} root`), after(stderr, `${mark} root`)];
  if (out === undefined) {
    const [first, second] = [after(stdout, `${mark} shell`), after(stderr, `${mark} shell`)];
    return first === undefined
      ? { stage: "shell", said: said(stdout, stderr) }
      : { stage: "root", said: said(first, second ?? "") };
  }
  const end = new RegExp(`\\r?\\n${mark} end (\\d+)\\r?\\n`).exec(out);
  if (end === null) return { stage: "begun", said: said(out, err ?? "") };
  const [words = ""] = (err ?? "").split(`\n${mark} end`);
  return { stage: "ended", code: Number(end[1]), stdout: out.slice(0, end.index), stderr: words };
}

/** What follows a line; undefined where there is none. */
function after(text: string, line: string): string | undefined {
  const found = new RegExp(`(?:^|\\n)${line}\\r?\\n`).exec(text);
  return found ? text.slice(found.index + found[0].length) : undefined;
}
