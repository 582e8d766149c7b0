import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utils } from "ssh2";
import { privateKey } from "../../components/settings/checks";
import { keyPair } from "../support/keys";
import { faultsOf, pemKey } from "../support/settings";

describe("the login key", () => {
  it("reaches every reader as the one text that OpenSSH and ssh2 both take, whatever it was saved with", () => {
    const folder = mkdtempSync(join(tmpdir(), "keys-"));
    const keys = [keyPair().private, keyPair("rsa").private, keyPair("ecdsa").private, pemKey("sec1")];
    const forms: ((text: string) => string)[] = [
      (text) => text,
      (text) => text.trim(),
      (text) => text.replaceAll("\n", "\r\n"),
      (text) => text.replaceAll("\n", "\r"),
      (text) => `\ufeff${text}`,
      (text) => `\ufeff\r\n  ${text.replaceAll("\n", " \r\n\t")}\r\n\r\n`,
      (text) => `Bag Attributes\n    friendlyName: me\n${text}# the key of the host\n`,
    ];
    for (const key of keys) {
      const texts = forms.map((form) => privateKey.parse(form(key)));
      expect(new Set(texts).size).toBe(1);
      expect(utils.parseKey(texts[0] ?? "")).not.toBeInstanceOf(Error);
      const file = join(folder, "key");
      writeFileSync(file, texts[0] ?? "", { mode: 0o600 });
      const { stdout } = spawnSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
      expect(stdout).toMatch(/^(ssh|ecdsa)-\S+ \S{50}/);
      // What was fine stays as it is: no stack sees a difference.
      if (/OPENSSH/.test(key)) expect(texts[0]?.trim()).toBe(key.trim());
    }
    rmSync(folder, { recursive: true });
  });

  it("of the kind DSA is refused", () => {
    expect(faultsOf({ hostPrivateKey: dsaKey() })).toEqual([
      `hostPrivateKey is a DSA key, which SSH servers no longer accept; ssh-keygen -t ed25519 creates one that they accept`,
    ]);
  });
});

/** As `ssh-keygen -t dsa` wrote it. */
function dsaKey(): string {
  const folder = mkdtempSync(join(tmpdir(), "dsa-"));
  const file = join(folder, "key");
  const { privateKey: key } = generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 });
  writeFileSync(file, key.export({ format: "pem", type: "pkcs8" }));
  try {
    return execFileSync("openssl", ["pkey", "-in", file, "-traditional"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
