import type { Client, ConnectConfig, utils } from "ssh2";
import type { Operation } from "../plugin/provider";
import type { ValueMap } from "../plugin/values";
import { text } from "../plugin/values";
import { openSocket } from "./socket";

/** How to reach a host, after defaults have been applied. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly privateKeyPassword?: string | undefined;
  readonly hostKey?: string | undefined;
  readonly agentSocketPath?: string | undefined;
  /** -1 means that every failure is followed by another attempt. */
  readonly dialErrorLimit: number;
  /** For the TCP connection alone; 0 means no limit. */
  readonly perDialTimeoutSeconds: number;
}

/** Reads a connection property. */
export function endpointOf(connection: ValueMap): Endpoint {
  const number = (name: string, otherwise: number): number => {
    const value = connection[name];
    return typeof value === "number" ? value : otherwise;
  };
  return {
    host: text(connection["host"]) ?? "",
    port: Math.trunc(number("port", 22)),
    user: text(connection["user"]) ?? "root",
    password: text(connection["password"]),
    privateKey: text(connection["privateKey"]),
    privateKeyPassword: text(connection["privateKeyPassword"]),
    hostKey: text(connection["hostKey"]),
    agentSocketPath: text(connection["agentSocketPath"]) ?? process.env["SSH_AUTH_SOCK"],
    dialErrorLimit: number("dialErrorLimit", 10),
    perDialTimeoutSeconds: number("perDialTimeout", 15),
  };
}

const HOST_KEY_TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
] as const;

function expectedKey(hostKey: string): { type: string; blob: Buffer } {
  const match = /(ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+)\s+([A-Za-z0-9+/=]+)/.exec(hostKey);
  if (!match?.[1] || !match[2]) throw new Error("failed to parse host key: ssh: no key found");
  return { type: match[1], blob: Buffer.from(match[2], "base64") };
}

function sshConfig(endpoint: Endpoint, parseKey: typeof utils.parseKey): ConnectConfig {
  const { user, password, privateKey, privateKeyPassword, hostKey, agentSocketPath } = endpoint;
  const config: ConnectConfig = { username: user, readyTimeout: 0, tryKeyboard: password !== undefined };
  if (privateKey !== undefined) {
    const parsed = parseKey(privateKey, privateKeyPassword);
    if (parsed instanceof Error) throw new Error(keyProblem(parsed.message));
    config.privateKey = privateKey;
    if (privateKeyPassword !== undefined) config.passphrase = privateKeyPassword;
  }
  if (password !== undefined) config.password = password;
  if (agentSocketPath) config.agent = agentSocketPath;
  if (hostKey !== undefined) {
    const { type, blob } = expectedKey(hostKey);
    const wanted = HOST_KEY_TYPES.find((known) => known === type);
    if (wanted) config.algorithms = { serverHostKey: [wanted] };
    config.hostVerifier = (key: Buffer) => key.equals(blob);
  }
  return config;
}

function keyProblem(message: string): string {
  if (/no passphrase/i.test(message)) return "ssh: this private key is passphrase protected";
  return /bad passphrase|integrity/i.test(message) ? "x509: decryption password incorrect" : "ssh: no key found";
}

function handshakeProblem(error: Error, endpoint: Endpoint): string {
  const { message } = error;
  if (message.includes("Host denied")) return "ssh: host key mismatch";
  if (message.includes("no matching host key")) return "ssh: no common algorithm for host key";
  if (message.includes("authentication methods failed")) {
    const tried = ["none", ...(endpoint.privateKey !== undefined || endpoint.agentSocketPath ? ["publickey"] : [])];
    if (endpoint.password !== undefined) tried.push("password", "keyboard-interactive");
    return `ssh: unable to authenticate, attempted methods [${tried.join(" ")}], no supported methods remain`;
  }
  if (message.includes("Connection lost") || message.includes("ended")) return "EOF";
  return message;
}

async function dialOnce(endpoint: Endpoint, config: ConnectConfig, cancelled: AbortSignal): Promise<Client> {
  const { Client: SshClient } = await import("ssh2");
  const sock = await openSocket(endpoint, cancelled);
  const client = new SshClient();
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      client.destroy();
      reject(new Error("ssh: handshake failed: operation was canceled"));
    };
    const fail = (error: Error): void => {
      cancelled.removeEventListener("abort", cancel);
      client.destroy();
      reject(new Error(`ssh: handshake failed: ${handshakeProblem(error, endpoint)}`));
    };
    cancelled.addEventListener("abort", cancel);
    client.on("error", fail);
    client.on("close", () => {
      fail(new Error("ended"));
    });
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) => {
      finish(prompts.map(() => endpoint.password ?? ""));
    });
    client.on("ready", () => {
      cancelled.removeEventListener("abort", cancel);
      client.removeAllListeners("close");
      resolve(client);
    });
    client.connect({ ...config, sock });
  });
}

function pause(milliseconds: number, cancelled: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const wake = (): void => {
      clearTimeout(timer);
      resolve();
    };
    cancelled.addEventListener("abort", wake, { once: true });
  });
}

/** The reason an operation was aborted with. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("context canceled");
}

/** Opens a connection, with as many attempts and pauses as the real provider makes. */
export async function dial(endpoint: Endpoint, operation: Operation): Promise<Client> {
  const ssh = await import("ssh2");
  const config = sshConfig(endpoint, ssh.utils.parseKey);
  const limit = endpoint.dialErrorLimit;
  let delay = 100;
  for (let failed = 0; ; failed++) {
    try {
      return await dialOnce(endpoint, config, operation.cancelled);
    } catch (thrown) {
      operation.cancelled.throwIfAborted();
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      if (limit > -1 && failed + 1 > limit)
        throw new Error(`after ${failed} failed attempts: ${reason}`, { cause: thrown });
      operation.status(`Dial ${failed + 1}/${limit === -1 ? "inf" : limit} failed: retrying`);
    }
    await pause(Math.min(delay, 5000), operation.cancelled);
    operation.cancelled.throwIfAborted();
    delay = Math.min(delay, 5000) * 1.5;
  }
}
