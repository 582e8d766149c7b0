import { appSettings } from "../../components/apps/registry";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Setting } from "../../components/settings/setting";
import { type SettingKey, settingKeys, settingsTable } from "../../components/settings/table";
import { minimal, privateKey } from "../support/minimal";
import { evaluateProgram, secretKeys, useEngine } from "../support/program";
import { RecordingMonitor } from "../support/recorder";
import { faultsOf, messageOf, pemCertificate, sentences } from "../support/settings";

describe("an unknown key", () => {
  it.each([
    ["hostAdress", "hostAddress"],
    ["host_key", "hostKey"],
    ["adminpassword", "adminPassword"],
    ["opencodeOpenAiKey", "opencodeOpenaiApiKey"],
    ["swapMB", "swapMiB"],
  ])("%s is reported together with the nearest setting, %s, and the command that removes it", (key, nearest) => {
    const message = messageOf({ ...minimal, [key]: "x" });
    expect(sentences(message)).toEqual([`${key} is not a setting; the nearest is ${nearest}`]);
    expect(message).toContain(`    fix: pulumi config rm cloudcode:${key}`);
  });

  it.each(["constructor", "__proto__x", "toString"])(
    "%s, a name that objects of JavaScript have, is unknown too",
    (key) => {
      expect(faultsOf({ [key]: "x" })[0]).toMatch(`${key} is not a setting`);
    },
  );
});

describe("a secret", () => {
  it.each([
    ["hostPrivateKey", privateKey],
    ["adminPassword", "a long passphrase of mine"],
    ["smtpPassword", "secret"],
    ["opencodeAnthropicApiKey", "sk-ant-1"],
    ["opencodeOpenaiApiKey", "sk-1"],
  ])("%s in plain text is refused, with the command that encrypts it", (key, value) => {
    const mail = { smtpAddress: "smtp://smtp.example.com", smtpUsername: "me", smtpPassword: "secret" };
    const message = messageOf({ ...minimal, ...mail, [key]: value }, (name) => name !== key);
    expect(sentences(message)).toEqual([`${key} is a secret, but is stored in plain text`]);
    expect(message).toContain(`    fix: pulumi config set --secret ${key} `);
  });

  it("is each key that the table calls so", () => {
    const ofApps = new Set(Object.keys(appSettings));
    expect(secretKeys.filter((key) => !ofApps.has(key))).toEqual([
      "domainToken",
      "hostPrivateKey",
      "adminPassword",
      "smtpPassword",
      "acmeDnsCredentials",
      "backupSecretAccessKey",
      "backupPrivateKey",
      "backupPassword",
      "alertWebhook",
      "notify",
      "billingKey",
      "ownAppSecrets",
    ]);
    expect(secretKeys).toEqual(
      expect.arrayContaining([
        "opencodeAnthropicApiKey",
        "opencodeOpenaiApiKey",
        "tgSignerApiHash",
        "tgSignerProxy",
        "tgSignerAdminPassword",
        "tgSignerBasicPassword",
        "tgSignerWebdavPassword",
        "tgSignerWebdavEncryptionKey",
        "donationLinuxDoClientSecret",
        "donationNewApiAdminToken",
        "casecheckTunnelToken",
        "casecheckCloudflareApiToken",
        "casecheckAdminPassword",
        "lwsandboxAdminPassword",
      ]),
    );
    const sounds = settingKeys.filter((key) =>
      /(Password|Secret|Token|ApiKey|PrivateKey|EncryptionKey|Hash)$/.test(key),
    );
    expect(sounds.filter((key) => !secretKeys.includes(key))).toEqual([]);
  });

  it("with a fault is never quoted in the message, whatever its value", () => {
    const hostile = fc.string({ minLength: 9, unit: "grapheme" }).map((text) => `${text}\tz9z9`);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...settingKeys), hostile, { minKeys: 1 }), (settings) => {
        const message = messageOf({ ...settings, unknownKey: "also quoted? z9z9" });
        expect(message).not.toBe("");
        expect(message).not.toContain("z9z9");
      }),
      { verbose: true },
    );
  });
});

describe("the fix of a problem", () => {
  const home = mkdtempSync(join(tmpdir(), "fix-"));
  mkdirSync(join(home, ".ssh"));
  writeFileSync(join(home, ".ssh", "id_ed25519"), privateKey);
  writeFileSync(join(home, "ca.pem"), pemCertificate);
  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  /** The words a shell hands to `pulumi` for each key's line, and what it sends to its standard input; one shell types all lines. */
  const typed = (): ReadonlyMap<SettingKey, { words: string[]; input: string }> => {
    const lines = settingKeys.map((key) => `printf '\\001${key}\\001'\n(\n${cureOf(key)}\n)`);
    const script = `pulumi() { printf '%s\\0' "$@"; printf '\\0'; cat; }\n${lines.join("\n")}`;
    const said = execFileSync("sh", ["-c", script], {
      cwd: home,
      env: { ...process.env, HOME: home },
      input: "",
      encoding: "utf8",
    });
    const answers = said.split("\u0001").slice(1);
    return new Map(
      settingKeys.map((key, index) => {
        expect(answers[2 * index]).toBe(key);
        const answer = answers[2 * index + 1] ?? "";
        const end = answer.indexOf("\0\0");
        return [key, { words: answer.slice(0, end).split("\0"), input: answer.slice(end + 2) }];
      }),
    );
  };
  let answers: ReturnType<typeof typed>;
  beforeAll(() => {
    answers = typed();
  });

  it.each(settingKeys)("of %s is a command line whose value passes the key's own check", (key) => {
    const setting: Setting = settingsTable[key];
    const { words = [], input = "" } = answers.get(key) ?? {};
    expect(words.slice(0, setting.secret ? 3 : 2)).toEqual(["config", "set", ...(setting.secret ? ["--secret"] : [])]);
    const rest = words.slice(setting.secret ? 3 : 2);
    if (rest[0] === "--path") {
      const [, path = "", value] = rest;
      const [own, member = ""] = path.split(".");
      expect(own).toBe(key);
      expect(setting.schema.safeParse(JSON.stringify({ [member]: value })).error).toBeUndefined();
      return;
    }
    expect(rest[0]).toBe(key);
    const value = rest.slice(1).filter((word) => word !== "--");
    expect(value).toHaveLength(input === "" ? 1 : 0);
    expect(setting.schema.safeParse(value[0] ?? input).error).toBeUndefined();
  });
});

/** The line behind `fix:` for this key, out of a message in which it is at fault. */
function cureOf(key: SettingKey): string {
  // No setting but a user's name takes this text, so that each of them is at fault.
  const message = messageOf(key === "smtpUsername" ? { smtpPassword: "secret" } : { [key]: "\0" }, () => false);
  const lines = message.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`  ${key} `));
  return (lines[at + 1] ?? "").replace("    fix: ", "");
}

describe("the program with a wrong configuration", () => {
  it("ends with one error that lists all problems before any resource is declared", async () => {
    const monitor = new RecordingMonitor({ randomness: "state" });
    const wrong = { hostPort: "0", domain: "localhost", opencodeSubdomain: "auth" };
    useEngine(monitor, { ...minimal, ...wrong });
    await expect(evaluateProgram()).rejects.toThrow(
      /^the configuration has 3 problems; nothing was touched\.\n {2}domain has no dot[^]*\n {2}hostPort is below 1\n[^]*\n {2}opencodeSubdomain is already/,
    );
    expect(monitor.recorded).toEqual([]);
  });
});
