import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utils } from "ssh2";
import { Secret, text, Unknown } from "../../toolchain/stand-ins/plugin/values";
import type { Plugin } from "../../compare/plugin";
import { startPlugin } from "../../compare/plugin";

jest.setTimeout(30_000);

const KEY = "tls:index/privateKey:PrivateKey";
const SECRETS = ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"];

let plugin: Plugin;
let folder: string;
beforeAll(async () => {
  plugin = await startPlugin("tls");
  folder = mkdtempSync(join(tmpdir(), "tls-"));
});
afterAll(() => {
  plugin.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function newKey(): Promise<(output: string) => string> {
  const outputs = await plugin.create(KEY, { algorithm: "ED25519" });
  return (output) => text(outputs[output]) ?? "";
}

function sshKeygen(...args: string[]): string {
  return execFileSync("ssh-keygen", args, { encoding: "utf8" });
}

it("is read by OpenSSH, which finds the same public key and fingerprints", async () => {
  for (let i = 0; i < 20; i++) {
    const key = await newKey();
    const file = join(folder, `key-${i}`);
    writeFileSync(file, key("privateKeyOpenssh"), { mode: 0o600 });
    expect(sshKeygen("-y", "-f", file)).toBe(key("publicKeyOpenssh"));
    expect(sshKeygen("-l", "-f", file).split(" ")[1]).toBe(key("publicKeyFingerprintSha256"));
    expect(sshKeygen("-l", "-E", "md5", "-f", file).split(" ")[1]).toBe(`MD5:${key("publicKeyFingerprintMd5")}`);
  }
});

it("is read by ssh2, every time", async () => {
  for (let i = 0; i < 300; i++) {
    const key = await newKey();
    const parsed = utils.parseKey(key("privateKeyOpenssh"));
    if (parsed instanceof Error) throw parsed;
    expect(`ssh-ed25519 ${parsed.getPublicSSH().toString("base64")}\n`).toBe(key("publicKeyOpenssh"));
    expect(parsed.verify("data", parsed.sign("data"))).toBe(true);
  }
});

it("is the same key in every encoding", async () => {
  const key = await newKey();
  const parsed = utils.parseKey(key("privateKeyOpenssh"));
  if (parsed instanceof Error) throw parsed;
  const publicPem = createPublicKey(createPrivateKey(key("privateKeyPem"))).export({ type: "spki", format: "pem" });
  expect(publicPem).toBe(key("publicKeyPem"));
  expect(key("privateKeyPemPkcs8")).toBe(key("privateKeyPem"));
  expect(createPublicKey(parsed.getPublicPEM()).equals(createPublicKey(publicPem))).toBe(true);
});

it("marks the private encodings as secrets, and only them", async () => {
  const outputs = await plugin.create(KEY, { algorithm: "ED25519" });
  expect(outputs).toMatchObject({ algorithm: "ED25519", ecdsaCurve: "P224", rsaBits: 2048 });
  expect(text(outputs["id"])).toMatch(/^[0-9a-f]{40}$/);
  const secret = Object.keys(outputs).filter((name) => outputs[name] instanceof Secret);
  expect(secret.sort()).toEqual(SECRETS);
});

it("is unknown in a preview, and replaced when an input changes", async () => {
  const preview = await plugin.preview(KEY, { algorithm: "ED25519" });
  for (const name of [...SECRETS, "publicKeyOpenssh"]) expect(preview[name]).toBeInstanceOf(Unknown);
  expect((await plugin.diff(KEY, { algorithm: "RSA" }, { algorithm: "ED25519" })).replaces).toEqual(["algorithm"]);
  expect((await plugin.diff(KEY, { algorithm: "ED25519" }, { algorithm: "ED25519", rsaBits: 2048 })).changed).toBe(
    false,
  );
});

it("refuses what the official plugin is needed for", async () => {
  expect((await plugin.check(KEY, { algorithm: "ED25519" })).failures).toEqual([]);
  expect((await plugin.check(KEY, { algorithm: "RSA" })).failures).toEqual([
    'algorithm: The stand-in makes ED25519 keys only, got: "RSA"; the official plugin makes the others.',
  ]);
});

it("refuses what the official plugin refuses, in its words", async () => {
  expect((await plugin.check(KEY, {})).failures).toEqual([
    ": Missing required property 'algorithm': Name of the algorithm to use when generating the private key. Currently-supported values are: `RSA`, `ECDSA`, `ED25519`. ",
  ]);
  expect((await plugin.check(KEY, { algorithm: "ed25519" })).failures).toEqual([
    `: Invalid Attribute Value Match. Attribute algorithm value must be one of: ["RSA" "ECDSA" "ED25519"], got: "ed25519". Examine values at 'thing.algorithm'.`,
  ]);
});
