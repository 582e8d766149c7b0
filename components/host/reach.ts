/**
 * Run by `node bin/cloudcode-hook.cjs reach COMMAND [URN]` on the operator's machine, connection on standard input: the
 * one way in which the program comes to a machine, so that what the first look proves is what every later command needs. It uses
 * the given key alone: no agent, no ~/.ssh, none of OpenSSH's configuration.
 */
import { type Socket, connect } from "node:net";
import { text } from "node:stream/consumers";
import { Client, type ClientChannel, type ConnectConfig } from "ssh2";
import { poll } from "../poll";
import { type Unreachable, describeUnreachable, forgetSentence, retryable } from "./reach-words";
import { type Answer, type Limit, parcel } from "./wire";

/** What travels on standard input. */
export interface ReachInput {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** `type base64`, as in known_hosts. */
  readonly hostKey: string;
  /** Bound of the wait for the connection, in seconds. */
  readonly seconds: number;
  /** How long the command may take on the machine. @default as long as it takes */
  readonly limit?: Limit;
  /** Standard input of the command. @default empty */
  readonly payload?: string;
}

type Ended = Extract<Answer, { stage: "ended" }>;

const attemptSeconds = 15;
const pauseMs = 2000;
/** How much longer than its own limit a command is waited for. */
const lateSeconds = 30;

/** Resolves once a command ran as root on the host; retries what time can heal until the bound. */
function reach(input: ReachInput, command: string): Promise<Ended> {
  return poll({ boundMs: input.seconds * 1000, pauseMs }, async (remainingMs) => {
    const attemptMs = Math.min(attemptSeconds * 1000, Math.max(1000, remainingMs));
    const socket = await openPort(input, attemptMs);
    const result = "stage" in socket ? socket : await runOverSsh(input, command, socket, attemptMs);
    if (result.stage === "ended") return { done: result };
    const late = new Error(describeUnreachable(input, result));
    if (!retryable(result)) throw late;
    return { late };
  });
}

/** A connection on which the server has shown its banner; so that a closed port differs from a silent one. */
async function openPort({ address, port }: ReachInput, attemptMs: number): Promise<Socket | Unreachable> {
  const socket = connect({ host: address, port, noDelay: true });
  return new Promise((resolve) => {
    // The first word counts; an error or an end of later is ssh2's matter.
    const settle = (result: Socket | Unreachable) => {
      clearTimeout(timer);
      if (result !== socket) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => {
      settle({ stage: socket.connecting ? "tcp" : "banner", detail: "no answer" });
    }, attemptMs);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      settle({ stage: "tcp", detail: error.code ?? error.message });
    });
    socket.once("close", () => {
      settle({ stage: "banner", detail: "connection closed" });
    });
    socket.once("readable", () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      socket.unshift(chunk);
      const banner = chunk.toString("latin1").startsWith("SSH-");
      settle(banner ? socket : { stage: "banner", detail: "not an SSH server" });
    });
  });
}

async function runOverSsh(
  input: ReachInput,
  command: string,
  sock: Socket,
  attemptMs: number,
): Promise<Ended | Unreachable> {
  const client = new Client();
  return new Promise((resolve) => {
    let presented: string | undefined;
    const [type = "", pinned = ""] = input.hostKey.split(" ");
    const end = (result: Ended | Unreachable) => {
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
    client.once("close", () => {
      end({ stage: "handshake", detail: "connection closed" });
    });
    client.once("ready", () => {
      const { line, read } = parcel(input.user, command, input.limit);
      client.exec(line, (error, channel) => {
        if (error) {
          end({ stage: "handshake", detail: error.message });
          return;
        }
        // From here on the machine may have changed: nothing is tried again.
        client.removeAllListeners("close");
        void answerOf(channel, input).then((output) => {
          const answer = read(output.stdout, output.stderr);
          if (answer.stage === "ended" && answer.code === 0) end(answer);
          else end(faultOf(answer, output.outcome));
        });
      });
    });
    const config: ConnectConfig = {
      sock,
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

interface ChannelOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** How the channel ended, for want of better words. */
  readonly outcome: string;
}

function answerOf(channel: ClientChannel, { payload = "", limit }: ReachInput): Promise<ChannelOutput> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  channel.on("data", (chunk: Buffer) => stdout.push(chunk));
  channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A command need not read its input to the end.
  channel.on("error", () => undefined);
  channel.end(payload);
  return new Promise((resolve) => {
    const done = (outcome: string) => {
      clearTimeout(timer);
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), outcome });
    };
    const bound = limit && (limit.seconds + limit.graceSeconds + lateSeconds) * 1000;
    const timer = bound === undefined ? undefined : setTimeout(done, bound, "it did not end in time");
    channel.once("close", (code: number | null | undefined) => {
      done(typeof code === "number" ? `exit code ${code}` : "the command did not finish");
    });
  });
}

function faultOf(answer: Answer, outcome: string): Unreachable {
  if (answer.stage !== "ended") return { stage: answer.stage, detail: answer.said || outcome };
  const words = [answer.stdout, answer.stderr].map((each) => each.trim()).filter(Boolean);
  return { stage: "command", detail: words.join("\n") || `exit code ${answer.code}` };
}

async function main(command: string, urn?: string): Promise<void> {
  const input = JSON.parse(await text(process.stdin)) as ReachInput;
  try {
    const { stdout, stderr } = await reach(input, command);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
  } catch (error) {
    const words = (error as Error).message;
    console.error(urn ? `${words} ${forgetSentence(urn)}` : words);
    process.exitCode = 1;
  }
}

const [command = "true", urn] = process.argv.slice(2);
void main(command, urn);
