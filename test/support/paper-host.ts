import type { ServerChannel } from "ssh2";
import { type Listening, sshHost } from "./ssh-host";

/**
 * A machine on paper: an SSH server that says of each command that it ran as root, in the words of components/host/wire.ts, and runs
 * none. It remembers what cloudcode-host was asked to apply, and answers as cloudcode-host and cloudcode-check do.
 */
export class PaperHost {
  /** Connections that ran a command, so far. */
  connections = 0;
  /** Stacks whose next release is refused. */
  readonly refuses = new Set<string>();
  /** Releases that each stack ran, the newest last. */
  readonly #releases = new Map<string, string[]>();
  #server: Listening | undefined;

  /** @param seen asked with each command before it is answered @default nothing is */
  constructor(private readonly seen: (script: string) => Promise<void> = () => Promise.resolve()) {}

  /** @param at where it listens @default a free port of 127.0.0.1 */
  async start(hostKey: string, loginKey: string, at = { port: 0, address: "127.0.0.1" }): Promise<void> {
    const answer = (line: string, channel: ServerChannel) => {
      this.connections++;
      if (line === "") echo(channel);
      else this.#answer(line, channel);
    };
    this.#server = await sshHost(hostKey, loginKey, answer, at.port, at.address);
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Id of the release that a stack runs. */
  running(stack: string): string {
    return this.#releases.get(stack)?.at(-1) ?? "none";
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
  }

  #answer(line: string, channel: ServerChannel): void {
    const [, words = ""] = line.split("' sh ");
    const script = Buffer.from(words.replaceAll(/[' ]/g, ""), "base64").toString();
    const [mark = ""] = /cloudcode-[0-9a-f]{16}/.exec(script) ?? [];
    channel.on("end", () => {
      void this.seen(script).then(() => {
        const { code, said } = this.#act(script);
        const head = `\n${mark} shell\n\n${mark} root\n`;
        channel.stderr.write(`${head}\n${mark} end\n`);
        channel.write(`${head}${said}\n${mark} end ${code}\n`);
        channel.exit(code);
        channel.end();
      });
    });
    channel.resume();
  }

  #act(script: string): { readonly code: number; readonly said: string } {
    const [, stack = "", id = ""] = /cloudcode-host apply (\S+) ([0-9a-f]+)/.exec(script) ?? [];
    if (this.refuses.delete(stack)) return { code: 1, said: "not valid" };
    const releases = this.#releases.get(stack) ?? [];
    if (id !== "") this.#releases.set(stack, [...releases, id]);
    if (script.includes("cloudcode-host rollback")) return { code: 0, said: this.#rollBack("opencode") };
    if (script.includes("cloudcode-host restart")) return { code: 0, said: "opencode has restarted on paper" };
    if (!script.includes("cloudcode-check")) return { code: 0, said: "" };
    const facts = [...this.#releases.keys()].map((name) => `release ${name}\tfact\t${this.running(name)}\t\n`);
    return { code: 0, said: facts.join("") };
  }

  #rollBack(stack: string): string {
    const [before = "", now = ""] = this.#releases.get(stack)?.slice(-2) ?? [];
    this.#releases.get(stack)?.push(before);
    return `release ${before} of ${stack} is running and replaces ${now}`;
  }
}

/** A shell that only says what was typed. */
function echo(channel: ServerChannel): void {
  channel.write("on paper: ");
  channel.pipe(channel, { end: false });
  channel.on("end", () => {
    channel.exit(0);
    channel.end();
  });
}
