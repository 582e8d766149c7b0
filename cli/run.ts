import { spawn } from "node:child_process";

/** Tells the person at the terminal, in one line, what happens now. */
export type Say = (line: string) => void;

/** What a finished command printed. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Inputs and bounds of one command. */
export interface RunOptions {
  /** Sent to the command's standard input, which is empty otherwise. */
  readonly input?: string | Uint8Array;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /**
   * The command is killed after this time.
   * @default 30 minutes
   */
  readonly timeoutMs?: number;
}

/** A command that could not be started, exited non-zero or took too long; `message` ends with its last lines. */
export class CommandError extends Error {
  constructor(
    command: string,
    outcome: string,
    readonly output: Output,
  ) {
    super([`${command} ${outcome}`, ...lastLines(output, 40)].join("\n  "));
    this.name = "CommandError";
  }
}

/** Runs a command without a shell and returns what it printed; throws {@link CommandError} unless it exits with 0. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  return new Promise((resolve, reject) => {
    const shown = [command, ...args].join(" ").slice(0, 200);
    const timeout = options.timeoutMs ?? 30 * 60_000;
    const child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeout);
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A command that ends without reading its input closes the pipe; its exit code tells the story.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new CommandError(shown, `could not be started: ${error.message}`, { stdout: "", stderr: "" }));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const output = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (code === 0) resolve(output);
      else if (late) reject(new CommandError(shown, `took longer than ${timeout / 1000} s`, output));
      else reject(new CommandError(shown, `ended with ${signal ?? `exit code ${code ?? "?"}`}`, output));
    });
  });
}

/** Whether a command can be started and exits with 0. */
export async function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  return run(command, args, options).then(
    () => true,
    () => false,
  );
}

/** Tries until `attempt` gives a value, then returns it; throws `otherwise` when the time is over. */
export async function until<T>(
  seconds: number,
  attempt: () => Promise<T | undefined>,
  otherwise: () => Promise<string>,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(await otherwise());
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function lastLines(output: Output, count: number): string[] {
  const text = output.stderr.trim() === "" ? output.stdout : output.stderr;
  return text.trim().split("\n").slice(-count);
}
