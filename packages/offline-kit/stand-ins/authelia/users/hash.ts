// Stand-in for Authelia 4.39.20: argon2id hashes, checked and made for real.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { Worker } from "node:worker_threads";
import { argon2id } from "hash-wasm";
import type { Argon2Params } from "../config/schema";

export interface Argon2Job {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly params: Argon2Params;
}
export interface Hasher {
  verify(password: string, encoded: string): Promise<boolean>;
  hash(password: string, params: Argon2Params): Promise<string>;
}
interface Encoded {
  readonly params: Argon2Params;
  readonly salt: Buffer;
  readonly digest: Buffer;
}

const shape = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

export function decodeArgon2(encoded: string): Encoded | undefined {
  const match = shape.exec(encoded);
  if (!match) return undefined;
  const [, memory, iterations, parallelism, saltText = "", digestText = ""] = match;
  const salt = Buffer.from(saltText, "base64");
  const digest = Buffer.from(digestText, "base64");
  return {
    params: {
      variant: "argon2id",
      memory: Number(memory),
      iterations: Number(iterations),
      parallelism: Number(parallelism),
      key_length: digest.length,
      salt_length: salt.length,
    },
    salt,
    digest,
  };
}

export function runArgon2({ password, salt, params }: Argon2Job): Promise<Uint8Array> {
  return argon2id({
    password,
    salt,
    iterations: params.iterations,
    memorySize: params.memory,
    parallelism: params.parallelism,
    hashLength: params.key_length,
    outputType: "binary",
  });
}

/** How long Go's memory of an ended hash stays taken where nothing limits it. */
const garbageMs = 10_000;
/** What the process takes in addition to hashes, as Go counts it. */
const besidesKiB = 40 * 1024;

/**
 * A thread per hash, any number at once, each with the memory that the hash is made in. As with Go, that memory is given back
 * later: here after some time, or earlier where more than `limitKiB` would be taken.
 */
export function runInWorker(file: string, limitKiB: number): (job: Argon2Job) => Promise<Uint8Array> {
  const ended = new Map<Worker, number>();
  let taken = besidesKiB;
  const giveBack = (worker: Worker, memory: number) => {
    if (!ended.delete(worker)) return;
    taken -= memory;
    void worker.terminate();
  };
  return (job) =>
    new Promise((resolve, reject) => {
      const { memory } = job.params;
      for (const [worker, held] of ended) if (taken + memory > limitKiB) giveBack(worker, held);
      taken += memory;
      const worker = new Worker(file, { workerData: job });
      worker.once("message", (digest: Uint8Array) => {
        resolve(digest);
        worker.unref();
        ended.set(worker, memory);
        setTimeout(giveBack, garbageMs, worker, memory).unref();
      });
      worker.once("error", (error) => {
        taken -= memory;
        reject(error);
      });
    });
}

/** Go's soft limit of memory (https://pkg.go.dev/runtime#hdr-Environment_Variables), in KiB. */
export function memoryLimit(text: string | undefined): number {
  const [, count, unit = ""] = /^(\d+)(B|KiB|MiB|GiB|TiB)?$/.exec(text ?? "") ?? [];
  if (count === undefined) return Infinity;
  return (Number(count) * 1024 ** ["", "KiB", "MiB", "GiB", "TiB"].indexOf(unit === "B" ? "" : unit)) / 1024;
}

export function createHasher(run: (job: Argon2Job) => Promise<Uint8Array>): Hasher {
  return {
    async verify(password, encoded) {
      const decoded = decodeArgon2(encoded);
      if (!decoded || password === "") return false;
      const digest = await run({ password, salt: decoded.salt, params: decoded.params });
      return digest.length === decoded.digest.length && timingSafeEqual(digest, decoded.digest);
    },
    async hash(password, params) {
      const salt = randomBytes(params.salt_length);
      const digest = await run({ password, salt, params });
      const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
      return `$argon2id$v=19$m=${params.memory},t=${params.iterations},p=${params.parallelism}$${base64(salt)}$${base64(digest)}`;
    },
  };
}
