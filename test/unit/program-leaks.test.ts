import { createHash } from "node:crypto";
import { join } from "node:path";
import { secretsByApp } from "../../components/own-apps/secrets";
import { CloudflareZone, apiToken, zoneId } from "../support/cloudflare-zone";
import { configurations } from "../support/configurations";
import { type StateResource, keysOfDigests, leaks, payloadOf } from "../support/leaks";
import type { Plain } from "../support/plain";
import { minimal, privateKey } from "../support/minimal";
import { type ProgramRun, runAlicloud, runProgram, secretKeys } from "../support/program";
import { projectRoot } from "../support/project-root";

/** What the engine would keep of a run. */
function stateOf({ resources, outputs: stack }: ProgramRun): StateResource[] {
  const shown = Object.entries(stack).flatMap(([key, { value, secret }]) => (secret ? [] : [key, ...leavesOf(value)]));
  const ofStack = { name: "stack", type: "pulumi:pulumi:Stack", plain: shown, secretOutputs: [], stdin: undefined };
  const others = resources.map(({ urn, name, type, id = "", inputs, secretInputs, outputs, secretOutputs }) => {
    const plainOf = (values: Readonly<Record<string, Plain>>, secret: readonly string[]) =>
      Object.entries(values)
        .filter(([key]) => !secret.includes(key))
        .flatMap(([key, value]) => [key, ...leavesOf(value)]);
    const { stdin } = inputs;
    return {
      name,
      type,
      plain: [urn, id, ...plainOf(inputs, secretInputs), ...plainOf(outputs, secretOutputs)],
      secretOutputs: secretOutputs.map((key) => outputs[key] ?? ""),
      stdin: typeof stdin === "string" ? payloadOf(stdin) : undefined,
    };
  });
  return [ofStack, ...others];
}

function leavesOf(value: Plain): string[] {
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, inner]: [string, Plain]) => [key, ...leavesOf(inner)]);
  return [String(value)];
}

const given = (settings: Readonly<Record<string, string>>) => [
  privateKey,
  ...secretKeys.flatMap((key) => settings[key] ?? []),
  ...Object.values(secretsByApp(settings["ownAppSecrets"] ?? "{}")).flatMap((secrets) => Object.values(secrets)),
];

const cloud: Readonly<Record<string, string>> = {
  lwsandboxEnabled: "true",
  budgetUsd: "500",
  instanceTypes: '["ecs.e-c1m4.large"]',
  lwsandboxWorkers: "2",
  backupRepository: "oss",
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelHost: "casecheck.example.org",
  casecheckCloudflareApiToken: apiToken,
  casecheckCloudflareAccountId: "0".repeat(32),
  casecheckCloudflareZoneId: zoneId,
};

const hostKey = minimal["hostKey"] ?? "";
const workers: Readonly<Record<string, string>> = {
  lwsandboxEnabled: "true",
  lwsandboxWorkerHosts: JSON.stringify([`203.0.113.8 ${hostKey}`]),
  alertWebhook: "https://hooks.example.com/services/T0/B0/secret-part",
  notify: '["ntfys://me:secret-of-ntfy@ntfy.example.com/topic-of-mine"]',
  opencodeAnthropicApiKey: "sk-ant-of-the-limit",
  opencodeMonthlyLimitUsd: "20",
  backupPassword: "passphrase of the backups",
  domain: "my-home.duckdns.org",
  domainToken: "01234567-89ab-cdef-0123-456789abcdef",
  acmeDns: "hetzner",
  acmeDnsCredentials: "a-token-of-hetzner-1234",
  ownApps: '["miniflux"]',
  ownAppSecrets: '{"miniflux": {"ADMIN_PASSWORD": "a password of my own App"}}',
};
const stores: readonly Readonly<Record<string, string>>[] = [
  {
    ...workers,
    backupRepository: "s3:https://s3.example.com/bkt/c",
    backupAccessKeyId: "AKIA0",
    backupSecretAccessKey: "s3-secret-1234",
  },
  {
    ...workers,
    backupRepository: "sftp://me@backup.example.com//srv/b",
    backupPrivateKey: privateKey,
    backupHostKey: hostKey,
  },
];

// A project with Apps of its own.
const before = process.cwd();
const zone = new CloudflareZone();
beforeAll(async () => {
  await zone.open();
  process.chdir(join(projectRoot, "examples"));
});
afterAll(() => {
  zone.close();
  process.chdir(before);
});

describe("no secret can be read or worked out from the plain half of the state", () => {
  it.each(configurations)("of %s", async (_name, settings) => {
    expect(await leaks(stateOf(await runProgram(settings)), given(settings))).toEqual([]);
  });

  it("of a stack on Alibaba Cloud with a bucket of backups, workers and a tunnel", async () => {
    expect(await leaks(stateOf(await runAlicloud(cloud)), given(cloud))).toEqual([]);
  });

  it.each(stores)("of a stack with workers, alerts and backups to $backupRepository", async (settings) => {
    expect(await leaks(stateOf(await runProgram(settings)), given(settings))).toEqual([]);
  });

  it("is asked of every secret setting in one stack or another", () => {
    const all = [minimal, cloud, ...stores, ...configurations.map(([, settings]) => settings)];
    const named = new Set(all.flatMap((settings) => Object.keys(settings)));
    expect(secretKeys.filter((key) => !named.has(key))).toEqual([]);
  });
});

describe("that question", () => {
  const secret = "hunter2 & <hunter2>";
  let run: ProgramRun;
  beforeAll(async () => {
    run = await runProgram();
  });

  it.each([
    ["text", `x ${secret} y`],
    ["URL encoding", "smtp://jo:hunter2%20%26%20%3Chunter2%3E@host"],
    ["hex", Buffer.from(secret).toString("hex")],
    ["base64 from byte 1", Buffer.from(`:${secret}`).toString("base64")],
    ["sha256", createHash("sha256").update(secret).digest("hex")],
  ])("finds a secret as %s", async (form, text) => {
    const extra = { name: "leaking", type: "x", plain: [text], secretOutputs: [], stdin: undefined };
    const found = await leaks([...stateOf(run), extra], [secret]);
    expect(found).toContain(`${form} in leaking`);
  });

  it("can work out every digest, were the key plain", async () => {
    const key = run.resource("digest-key").outputs["result"] ?? "";
    const state = stateOf(run);
    const shown = state.flatMap(({ plain }) => plain.flatMap((text) => text.match(/^# [0-9a-f]{8} /gm) ?? []));
    expect(await keysOfDigests(state, new Set([key]))).toEqual({ keys: [key], digests: shown.length });
    const extra = { name: "leaking", type: "x", plain: [key], secretOutputs: [], stdin: undefined };
    expect(await leaks([...state, extra], [])).toContain(`key of the digests: ${key.slice(0, 4)}…`);
  });
});
