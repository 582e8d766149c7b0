/**
 * Run by `node --import tsx components/host/reach.ts COMMAND [URN]` on the operator's machine, connection on standard input:
 * the two moments where the words of a failure matter more than the command provider's own (lessons A1, A5).
 */
import { type Socket, connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ConnectConfig } from "ssh2";
import { type Unreachable, describeUnreachable, forgetSentence, retryable } from "./reach-words";

/** What travels on standard input. */
export interface ReachInput {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** `type base64`, as in known_hosts. */
  readonly hostKey: string;
  /** Bound of the whole wait, in seconds. */
  readonly seconds: number;
}

const attemptSeconds = 15;
const pauseSeconds = 2;

/** Resolves once a command ran as root on the host; retries what time can heal until the bound. */
async function reach(input: ReachInput, command: string): Promise<string> {
  const deadline = Date.now() + input.seconds * 1000;
  const attemptMs = () => Math.min(attemptSeconds * 1000, Math.max(1000, deadline - Date.now()));
  for (;;) {
    const fault = await openPort(input, attemptMs());
    const result = fault ?? (await runOverSsh(input, command, attemptMs()));
    if (typeof result === "string") return result;
    if (!retryable(result) || Date.now() > deadline) throw new Error(describeUnreachable(input, result));
    await sleep(pauseSeconds * 1000);
  }
}

/** Tells a closed port from a silent one before any SSH is spoken. */
async function openPort({ address, port }: ReachInput, attemptMs: number): Promise<Unreachable | undefined> {
  const socket: Socket = connect({ host: address, port, timeout: attemptMs });
  return new Promise((resolve) => {
    const end = (fault?: Unreachable) => {
      socket.destroy();
      resolve(fault);
    };
    socket.once("error", (error: NodeJS.ErrnoException) => {
      end({ stage: "tcp", detail: error.code ?? error.message });
    });
    socket.once("timeout", () => {
      end({ stage: socket.connecting ? "tcp" : "banner", detail: "no answer" });
    });
    socket.once("close", () => {
      end({ stage: "banner", detail: "connection closed" });
    });
    socket.once("data", (chunk: Buffer) => {
      end(chunk.toString("latin1").startsWith("SSH-") ? undefined : { stage: "banner", detail: "not an SSH server" });
    });
  });
}

async function runOverSsh(input: ReachInput, command: string, attemptMs: number): Promise<string | Unreachable> {
  const client = new Client();
  return new Promise((resolve) => {
    let presented: string | undefined;
    const [type = "", pinned = ""] = input.hostKey.split(" ");
    const end = (result: string | Unreachable) => {
      client.end();
      resolve(result);
    };
    client.on("error", (error: Error & { level?: string }) => {
      if (presented !== undefined && presented !== pinned) {
        end({ stage: "host-key", detail: `${type} ${presented}` });
        return;
      }
      if (/no matching host key/i.test(error.message)) {
        end({ stage: "host-key", detail: `no ${type} key` });
        return;
      }
      end({ stage: error.level === "client-authentication" ? "authentication" : "handshake", detail: error.message });
    });
    client.once("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) {
          end({ stage: "handshake", detail: error.message });
          return;
        }
        const output: string[] = [];
        channel.on("data", (chunk: Buffer) => output.push(chunk.toString()));
        channel.stderr.on("data", (chunk: Buffer) => output.push(chunk.toString()));
        channel.once("close", (code: number | null | undefined) => {
          const said = output.join("").trim();
          end(code === 0 ? said : { stage: "command", detail: said || endOf(code) });
        });
      });
    });
    const config: ConnectConfig = {
      host: input.address,
      port: input.port,
      username: input.user,
      privateKey: input.privateKey,
      readyTimeout: attemptMs,
      keepaliveInterval: 15_000,
      hostVerifier: (key: Buffer) => (presented = key.toString("base64")) === pinned,
      // ssh2 wants its own union of names; the type of the pinned key is checked by the settings.
      algorithms: { serverHostKey: [type as "ssh-ed25519"] },
    };
    client.connect(config);
  });
}

/** A killed command and a lost connection have no exit code. */
function endOf(code: number | null | undefined): string {
  return typeof code === "number" ? `exit code ${code}` : "the command did not come to its end";
}

async function main(command: string, urn?: string): Promise<void> {
  const input = JSON.parse(await text(process.stdin)) as ReachInput;
  try {
    console.log(await reach(input, command));
  } catch (error) {
    const words = (error as Error).message;
    console.error(urn ? `${words} ${forgetSentence(urn)}` : words);
    process.exitCode = 1;
  }
}

const [command = "true", urn] = process.argv.slice(2);
void main(command, urn);
