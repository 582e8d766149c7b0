import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { Operations } from "../components/operations";
import { describeUnreachable } from "../components/host/reach-words";
import { type Filter, parcel, stream, terminalLine } from "../components/host/wire";
import { shellWord } from "../components/stack/escape";
import { CommandError, type Output, type RunOptions, run, until } from "../cli/run";
import { OpsError } from "./stack";

/**
 * Name that the pinned key stands under, so that ~/.ssh/known_hosts is not used: it knows hosts by address, and a new
 * machine may get the address of an old one.
 */
const alias = "cloudcode";

/** Exit code of ssh itself, when it could not connect. */
const sshFailed = 255;

/** Words of ssh itself, in place of the host's. */
const sshFault =
  /^(ssh: |Host key verification failed|kex_exchange_identification|Connection (closed|reset|timed out)|.*Permission denied \()/m;
const lookCloser = "ssh could not connect to the host: npm run ops -- status shows why, and what to do";

/** Runs until its standard input ends, so that the key is gone however this process dies. */
const agentScript = `trap 'kill $!' EXIT; trap exit INT TERM HUP; ssh-agent -D -a "$1" & sleep 0.1; kill -0 $! && cat`;

/** The command line of ssh: only the pinned host key, only the agent's key, nothing of the operator's own configuration. */
export function sshArguments(
  { host, port, user }: Pick<Operations["connection"], "host" | "port" | "user">,
  files: { readonly knownHosts: string; readonly agent: string },
  tty: boolean,
  command?: string,
): string[] {
  const options = {
    UserKnownHostsFile: files.knownHosts,
    GlobalKnownHostsFile: "/dev/null",
    HostKeyAlias: alias,
    StrictHostKeyChecking: "yes",
    IdentityAgent: files.agent,
    IdentityFile: "none",
    BatchMode: "yes",
    ConnectTimeout: "15",
    ServerAliveInterval: "15",
    LogLevel: "ERROR",
  };
  return [
    "-F",
    "none",
    tty ? "-t" : "-T",
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    "-p",
    String(port),
    "-l",
    user,
    host,
    ...(command === undefined ? [] : [command]),
  ];
}

/**
 * Where files of ssh's options may stand: a socket has 104 bytes on macOS, and ssh reads blanks, `%`, `~` and `$` in such a name in
 * its own way.
 */
export function shortFolder(temporary: string): string {
  return temporary.length <= 70 && /^\/[\w./+-]*$/.test(temporary) && existsSync(temporary) ? temporary : "/tmp";
}

/** A script with its arguments as one command of `sh`. Secrets go to its standard input. */
export function scriptCommand(script: string, args: readonly string[] = []): string {
  return ["sh", "-c", script, "sh", ...args].map(shellWord).join(" ");
}

/** Where the output of a command goes. */
export interface Sinks {
  readonly stdout: (chunk: Buffer) => unknown;
  readonly stderr?: (chunk: Buffer) => unknown;
}

/** Runs a command that is given sinks, and gives all that it printed with its exit code. */
export async function collected(
  command: (sinks: Sinks) => Promise<number>,
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const exitCode = await command({ stdout: (chunk) => out.push(chunk), stderr: (chunk) => err.push(chunk) });
  return { exitCode, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** Whether somebody answers at a socket: its file is there before. */
function listens(socket: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const probe = connect(socket)
      .once("connect", () => {
        probe.destroy();
        resolve(true);
      })
      .once("error", () => {
        resolve(undefined);
      });
  });
}

/**
 * The system's ssh to one host. The private key is handed to an agent of its own over a pipe and is never in a file; the
 * agent ends with this process, however that ends.
 */
export class Ssh {
  private constructor(
    private readonly connection: Operations["connection"],
    private readonly folder: string,
    private readonly agent: ChildProcessByStdio<Writable, null, null>,
  ) {}

  /** @throws OpsError where OpenSSH is missing or refuses the key */
  static async open(connection: Operations["connection"]): Promise<Ssh> {
    const folder = mkdtempSync(join(shortFolder(tmpdir()), "cloudcode-ops-"));
    const socket = join(folder, "agent");
    const agent = spawn("sh", ["-c", agentScript, "sh", socket], { stdio: ["pipe", "ignore", "ignore"] });
    const missing = new Promise<never>((_, reject) => {
      agent.once("exit", () => {
        reject(new OpsError("ssh-agent does not start here: install OpenSSH's client"));
      });
    });
    const ssh = new Ssh(connection, folder, agent);
    process.once("exit", () => {
      ssh.close();
    });
    const started = until(
      10,
      () => listens(socket),
      () => Promise.resolve("ssh-agent did not start within 10 s"),
    );
    try {
      await Promise.race([started, missing]);
      writeFileSync(join(folder, "known_hosts"), `${alias} ${connection.hostKey}\n`, { mode: 0o600 });
      const input = `${connection.privateKey.trimEnd()}\n`;
      await run("ssh-add", ["-q", "-"], { input, env: { SSH_AUTH_SOCK: socket } }).catch((error: unknown) => {
        const words = error instanceof CommandError ? error.output.stderr.trim() : String(error);
        throw new OpsError(`ssh-add refuses the stack's private key: ${words}`);
      });
    } catch (error) {
      // While the agent runs, this process does not end.
      ssh.close();
      throw error;
    }
    return ssh;
  }

  /** Runs a script as root on the host and gives what it printed. @throws OpsError with its words where it fails */
  async script(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Output> {
    const { user, host: address, port, hostKey } = this.connection;
    const { line, read } = parcel(user, scriptCommand(script, args));
    let cause: CommandError | undefined;
    const { stdout, stderr } = await run("ssh", this.arguments(false, line), options).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      cause = error;
      return error.output;
    });
    const answer = read(stdout, stderr);
    if (answer.stage === "ended") {
      if (answer.code === 0) return answer;
      throw new OpsError(answer.stderr.trim() || answer.stdout.trim() || `exit code ${answer.code}`, { cause });
    }
    const detail = answer.said || (cause?.message ?? "it printed nothing");
    if (sshFault.test(detail)) throw new OpsError(`${detail}\n${lookCloser}`, { cause });
    const seconds = (options.timeoutMs ?? 0) / 1000;
    throw new OpsError(describeUnreachable({ address, port, user, hostKey, seconds }, { ...answer, detail }), {
      cause,
    });
  }

  /** The same on this terminal, or to these sinks. Gives the exit code. */
  attach(tty: boolean, script: string, args: readonly string[] = [], sinks?: Sinks): Promise<number> {
    const { user } = this.connection;
    const command = scriptCommand(script, args);
    if (tty) return this.login(true, terminalLine(user, command));
    const { line, filter } = stream(user, command);
    return this.start(false, line, filter, sinks);
  }

  /** A shell of the SSH user on this terminal, or a command in it. Gives the exit code. */
  login(tty: boolean, command?: string, sinks?: Sinks): Promise<number> {
    return this.start(tty, command, undefined, sinks);
  }

  private start(tty: boolean, command?: string, filter?: () => Filter, sinks?: Sinks): Promise<number> {
    return new Promise((resolve, reject) => {
      const passed = filter || sinks ? "pipe" : "inherit";
      const child = spawn("ssh", this.arguments(tty, command), { stdio: ["inherit", passed, passed] });
      for (const [from, to] of [
        [child.stdout, sinks?.stdout ?? ((chunk: Buffer) => process.stdout.write(chunk))],
        [child.stderr, sinks?.stderr ?? ((chunk: Buffer) => process.stderr.write(chunk))],
      ] as const) {
        const words = filter?.();
        from?.on("data", (chunk: Buffer) => to(words?.pass(chunk) ?? chunk));
        from?.on("end", () => process.stderr.write(words?.rest() ?? ""));
      }
      process.once("exit", () => child.kill());
      // As when a reader of ssh's own output has gone.
      process.stdout.on("error", () => child.kill());
      child.once("error", () => {
        reject(new OpsError("ssh is missing: install OpenSSH's client"));
      });
      child.once("close", (code) => {
        if (code === sshFailed) process.stderr.write(`If ${lookCloser}\n`);
        resolve(code ?? sshFailed);
      });
    });
  }

  close(): void {
    this.agent.removeAllListeners("exit");
    this.agent.stdin.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private arguments(tty: boolean, command?: string): string[] {
    const files = { knownHosts: join(this.folder, "known_hosts"), agent: join(this.folder, "agent") };
    return sshArguments(this.connection, files, tty, command);
  }
}
