// A stand-in for the Alibaba Cloud APIs (ECS, VPC, EIP, Alidns, RAM, OSS, STS, BSS): tests and the sandbox have no cloud account. Both
// the real Terraform provider and the program's own calls talk to it; what the real cloud answers beyond its public
// reference and the provider's source is assumed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finances, Terms } from "./call";
import { Catalogue } from "./catalogue";
import { makeCertificate } from "./certificate";
import { Clock } from "./clock";
import { Cloud } from "./cloud";
import { control } from "./control";
import { FakeMachines } from "./fake-machines";
import type { Fault } from "./faults";
import { Faults } from "./faults";
import type { Rules } from "./gateway";
import { Gateway } from "./gateway";
import type { Item } from "./inventory";
import { inventory } from "./inventory";
import { Journal } from "./journal";
import type { Latencies } from "./latency";
import { latencyProfiles } from "./latency";
import type { Machines } from "./machine";
import type { Policy } from "./policy";
import { passTime } from "./passing-time";
import { ObjectStorage } from "./oss/object-storage";
import { listen } from "./server";
import { emptyState, loadState, saveState } from "./state";

/** A key that the emulator knows by default. */
export const emulatorKey = { id: "emulator-key", secret: "emulator-secret" } as const;

export interface EmulatorOptions {
  /** Where the account survives a restart; the certificate is kept next to it. Without it all is gone at the end. */
  readonly stateFile?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: fake ones. */
  readonly machines?: Machines;
  /** Default: none. */
  readonly latencies?: Latencies;
  /** Time passes only by `advance` and `idle`. Default: it runs as the real one. */
  readonly clockStands?: boolean;
  /** Secrets by access key id. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Default: everything is allowed. */
  readonly policy?: Policy;
  /** Default: USD, no discount. */
  readonly terms?: Terms;
  /** Default: 100 to pay with, nothing billed. */
  readonly finances?: Finances;
  /** DNS zones of the account beyond the catalogue's. */
  readonly domains?: readonly string[];
  /** Called when the control API asks for the end. */
  readonly onStop?: () => void;
}

export interface Emulator {
  readonly port: number;
  /** PEM file for SSL_CERT_FILE and NODE_EXTRA_CA_CERTS. */
  readonly certificateFile: string;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly rules: Rules;
  /** The account; its latencies can be changed. */
  readonly cloud: Cloud;
  /** Adds a fault. */
  fail(fault: Fault): void;
  inventory(): Item[];
  /** Resolves when no state change is under way. */
  idle(): Promise<void>;
  /** Turns the account's clock forward by milliseconds and lets happen what is due: see passing-time.ts. */
  advance(milliseconds: number): Promise<void>;
  /** Waits for what is under way, then ends. */
  close(): Promise<void>;
}

/** Starts an emulator in this process. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { stateFile } = options;
  const state = stateFile === undefined ? emptyState() : loadState(stateFile);
  const changed = (): void => {
    if (stateFile !== undefined) saveState(stateFile, state);
  };
  const journal = new Journal();
  const faults = new Faults();
  const machines = options.machines ?? new FakeMachines([...state.eips.values()].map((eip) => eip.address));
  const cloud = new Cloud(
    state,
    machines,
    new Clock(options.clockStands),
    options.latencies ?? latencyProfiles.fast,
    changed,
    (what, why) => {
      journal.failures.push(`${what}: ${why}`);
    },
  );
  const keys = new Map(Object.entries(options.keys ?? { [emulatorKey.id]: emulatorKey.secret }));
  const rules: Rules = {
    keys,
    policy: options.policy,
    faults,
    terms: options.terms ?? { currency: "USD", discount: 0 },
    finances: options.finances ?? { balance: 100, bills: {} },
  };
  const gateway = new Gateway(cloud, new Catalogue(options.domains), rules, journal, changed);
  const storage = new ObjectStorage(cloud, rules, journal, changed);
  const folder = stateFile === undefined ? mkdtempSync(join(tmpdir(), "emulator-")) : undefined;
  const files = makeCertificate(stateFile ?? join(folder ?? tmpdir(), "emulator"));
  const stop = options.onStop ?? ((): void => undefined);
  const server = await listen(options.port ?? 0, files, {
    api: (request) => gateway.reply(request),
    storage: (request) => Promise.resolve(storage.reply(request)),
    control: (method, path, body) => control({ cloud, journal, rules, stop }, method, path, body),
  });
  return {
    port: server.port,
    certificateFile: files.certificate,
    journal,
    faults,
    rules,
    cloud,
    fail: (fault) => {
      faults.add(fault);
    },
    inventory: () => inventory(state),
    idle: () => cloud.idle(),
    advance: (milliseconds) => passTime(cloud, milliseconds),
    close: async () => {
      await server.close();
      await cloud.idle();
      changed();
      if (folder !== undefined) rmSync(folder, { recursive: true });
    },
  };
}

/** The environment in which provider and program use the emulator. */
export function emulatorEnvironment(
  { port, certificateFile }: Pick<Emulator, "port" | "certificateFile">,
  key: { readonly id: string; readonly secret: string } = emulatorKey,
): Record<string, string> {
  const endpoint = `127.0.0.1:${port}`;
  return {
    ALIBABA_CLOUD_ENDPOINT_ECS: endpoint,
    ALIBABA_CLOUD_ENDPOINT_VPC: endpoint,
    ALIBABA_CLOUD_ENDPOINT_ALIDNS: endpoint,
    ALIBABA_CLOUD_ENDPOINT_RAM: endpoint,
    ALIBABA_CLOUD_ENDPOINT_OSS: endpoint,
    ALIBABA_CLOUD_ENDPOINT_STS: endpoint,
    ALIBABA_CLOUD_ENDPOINT_LOCATION: endpoint,
    ALIBABA_CLOUD_ENDPOINT_BSSOPENAPI: endpoint,
    // Without it the provider asks a billing API of the real cloud, which costs half a minute per operation.
    ALIBABA_CLOUD_ACCOUNT_TYPE: "International",
    SSL_CERT_FILE: certificateFile,
    NODE_EXTRA_CA_CERTS: certificateFile,
    ALICLOUD_ACCESS_KEY: key.id,
    ALICLOUD_SECRET_KEY: key.secret,
    ALIBABA_CLOUD_ACCESS_KEY_ID: key.id,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: key.secret,
  };
}
