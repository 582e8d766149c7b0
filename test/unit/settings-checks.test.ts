import { generateKeyPairSync } from "node:crypto";
import { utils } from "ssh2";
import { imageNames, sourceNames } from "../../components/images";
import { keyPair } from "../support/keys";
import { minimal } from "../support/minimal";
import { faultsOf, messageOf, pemCertificate, pemKey, sentences } from "../support/settings";

/** The faults of one key, where everything else is right. */
const faults = (key: string, value: string) => faultsOf({ [key]: value });

test.each(["30", "4m", "366d", "0h", "1y", "-1", "1.5h", "1h30m", "off", "12 h", "99999M"])(
  "sessionLifetime takes no %j",
  (value) => {
    expect(faults("sessionLifetime", value)).toEqual([
      "sessionLifetime is not a time from 5m to 365d, such as 30m, 12h, 7d, 2w or 1M",
    ]);
  },
);

describe("a value that fails its check is reported by its key and its fault", () => {
  it.each([
    ["target", "aws", "is neither alicloud nor existing"],
    ["hostAddress", "my host", "is neither an IP address nor a host name"],
    ["hostPort", "0", "is below 1"],
    ["hostPort", "65536", "is above 65535"],
    ["hostPort", "22.5", "is not a whole number"],
    ["hostPort", "ssh", "is not a whole number"],
    ["hostUser", "Root!", "is not a user name of Linux"],
    ["hostWaitSeconds", "4", "is below 5"],
    ["hostWaitSeconds", "3601", "is above 3600"],
    ["sshCidrs", "203.0.113.0/24", "is not JSON"],
    ["sshCidrs", '"203.0.113.0/24"', "is not a list"],
    ["sshCidrs", "[24]", "[0] is not a string"],
    ["adminUsername", "Admin", "is not 1 to 32 lower-case letters, digits, _ and -, starting with a letter"],
    ["adminPassword", "elevenchars", "is shorter than 12 characters"],
    ["adminPassword", "x".repeat(129), "is longer than 128 characters"],
    ["adminPassword", "twelve\tcharacters", "has control characters"],
    ["adminEmail", "you at example.com", "is not a mail address"],
    ["sessionRemembered", "never", "is not a time from 5m to 365d, such as 30m, 12h, 7d, 2w or 1M, or off"],
    ["smtpSender", "login", "is not a mail address"],
    ["acmeEmail", "<you@example.com>", "is not a mail address"],
    ["smtpAddress", "smtp.example.com:587", "is not a submission://, submissions:// or smtp:// address"],
    ["acmeDirectories", '["http://ca.example.com/dir"]', "[0] is not an https:// address"],
    ["acmeTrustedRoot", "ca.pem", "is not one PEM certificate"],
    ["acmeTrustedRoot", pemCertificate + pemCertificate, "is not one PEM certificate"],
    ["fallbackCertificateMinutes", "1", "is below 2"],
    ["fallbackCertificateMinutes", "10081", "is above 10080"],
    ["dockerPackages", "snap", "is neither docker-ce nor distribution"],
    ["dockerAptRepository", "http://mirror.example.com", "is not an https:// address"],
    ["dockerAptRepository", 'https://mirror.example.com/"', "is not an https:// address"],
    ["registryMirrors", '["mirror.example.com"]', "[0] is not an http:// or https:// address"],
    ["imageRegistry", "https://registry.example.com", "is not a registry such as registry.example.com/mirror"],
    ["images", '{"caddy":"caddy"}', "[caddy] is not an image reference with a tag or digest"],
    ["images", '{"nginx":"nginx:1"}', `holds a name that is not one of ${imageNames.join(", ")}`],
    ["images", "[]", "is not an object"],
    ["sources", '{"nginx":"https://example.com/nginx"}', `holds a name that is not one of ${sourceNames.join(", ")}`],
    ["sources", "[]", "is not an object"],
    ...[
      `https://git.example.com/x`,
      `http://git.example.com/x#${"0".repeat(40)}`,
      `https://git.example.com/$(id)#${"0".repeat(40)}`,
    ].map((source): [string, string, string] => [
      "sources",
      JSON.stringify({ tgSigner: source }),
      "[tgSigner] is not https://…#COMMIT, the address of a Git repository and 40 digits of a commit",
    ]),
    ["dockerDns", '["1.1.1.1","dns.example.com"]', "[1] is not an IP address"],
    ["dockerAddressPool", "10.201.0.0", "is not a network in CIDR notation"],
    ["swapMiB", "-1", "is below 0"],
    ["swapMiB", "65537", "is above 65536"],
    ["ntpServer", "ntp server", "is neither an IP address nor a host name"],
    ["timeZone", "Mars/Olympus", "is not a time zone"],
    ["deleteData", "yes", "is neither true nor false"],
    ["opencodeEnabled", "on", "is neither true nor false"],
    ["opencodeTerminal", "1", "is neither true nor false"],
    ["opencodeSubdomain", "my.code", "is not a DNS label of lower-case letters, digits and hyphens"],
    ["opencodeMemoryMiB", "511", "is below 512"],
    ["opencodeMemoryMiB", "262145", "is above 262144"],
    ["opencodeAnthropicApiKey", "sk\nant", "has more than one line"],
    ["opencodeOpenaiApiKey", "sk\rant", "has more than one line"],
    ["opencodeOpenaiBaseUrl", "api.example.com/v1", "is not an http:// or https:// address"],
  ])("%s = %j %s", (key, value, fault) => {
    expect(faults(key, value)).toEqual([`${key} ${fault}`]);
  });

  it("of one key, all faults are reported", () => {
    expect(faults("adminPassword", "short\t")).toEqual([
      "adminPassword is shorter than 12 characters",
      "adminPassword has control characters",
    ]);
  });
});

describe("the domain", () => {
  it.each([
    ["203.0.113.7", "is an IP address, which can carry neither login cookies nor passkeys; use <address>.sslip.io"],
    ["2001:db8::7", "is an IP address, which can carry neither login cookies nor passkeys; use <address>.sslip.io"],
    ["localhost", "has no dot, so browsers refuse its login cookie"],
    ["com", "has no dot, so browsers refuse its login cookie"],
    ["co.uk", "is a public suffix, so browsers refuse its login cookie; use a name below it"],
    ["github.io", "is a public suffix, so browsers refuse its login cookie; use a name below it"],
    ["Home.example.com", "is not a host name in lower-case letters"],
    ["home_1.example.com", "is not a host name in lower-case letters"],
    ["home..example.com", "is not a host name in lower-case letters"],
    ["-home.example.com", "is not a host name in lower-case letters"],
    ["https://home.example.com", "is not a host name in lower-case letters"],
    ["*.example.com", "is not a host name in lower-case letters"],
    [`${"a".repeat(64)}.example.com`, "is not a host name in lower-case letters"],
  ])("%s %s", (domain, fault) => {
    expect(faults("domain", domain)).toEqual([`domain ${fault}`]);
  });

  it.each(["sslip.io", "nip.io"])("%s is everybody's and refused", (domain) => {
    expect(faults("domain", domain)).toHaveLength(1);
  });

  it.each([
    "example.com",
    "home.example.com",
    "example.co.uk",
    "me.github.io",
    "203-0-113-7.sslip.io",
    "203.0.113.7.nip.io",
    "xn--bcher-kva.example",
  ])("%s is accepted", (domain) => {
    expect(faults("domain", domain)).toEqual([]);
  });
});

describe("a network", () => {
  it.each([
    ["203.0.113.7/24", "has bits set beyond its /24"],
    ["0.0.0.1/0", "has bits set beyond its /0"],
    ["203.0.113.0/33", "is not a network in CIDR notation"],
    ["2001:db8::/129", "is not a network in CIDR notation"],
    ["203.0.113.0/", "is not a network in CIDR notation"],
    ["203.0.113.0/24/8", "is not a network in CIDR notation"],
    ["203.0.113/24", "is not a network in CIDR notation"],
    ["203.0.113.0/2 4", "is not a network in CIDR notation"],
    ["0.0.0.0/0; rm", "is not a network in CIDR notation"],
  ])("%s %s", (network, fault) => {
    expect(faults("sshCidrs", JSON.stringify([network]))).toEqual([`sshCidrs [0] ${fault}`]);
  });

  it.each(["0.0.0.0/0", "203.0.113.7/32", "203.0.113.128/25", "2001:db8::/32", "::/0"])("%s is accepted", (network) => {
    expect(faults("sshCidrs", JSON.stringify([network]))).toEqual([]);
  });
});

describe("the login key", () => {
  const fault = "hostPrivateKey has a passphrase; create a key without one for this stack";
  const openssh = (passphrase: string) =>
    utils.generateKeyPairSync("ed25519", { passphrase, cipher: "aes256-ctr", rounds: 1 }).private;

  it("with a passphrase is refused in each format", () => {
    expect(faults("hostPrivateKey", openssh("secret"))).toEqual([fault]);
    expect(faults("hostPrivateKey", pemKey("pkcs8", "secret"))).toEqual([fault]);
    expect(faults("hostPrivateKey", pemKey("sec1", "secret"))).toEqual([fault]);
  });

  it("without one is accepted in each usual format, with and without a last newline, and with Windows' line ends", () => {
    const rsa = keyPair("rsa").private;
    const keys = [keyPair().private, rsa, pemKey("sec1")];
    for (const key of keys.flatMap((text) => [text, text.trim(), text.replaceAll("\n", "\r\n")])) {
      expect(faults("hostPrivateKey", key)).toEqual([]);
    }
  });

  it.each<[string, string, string]>([
    [
      "PuTTY's format",
      "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n",
      "is in PuTTY's format; puttygen KEY.ppk -O private-openssh -o COPY rewrites it in OpenSSH's",
    ],
    ["two keys", keyPair().private + keyPair().private, "contains more than one key"],
    ["a short RSA key", shortRsa(), "is an RSA key of less than 1024 bits, which SSH servers no longer accept"],
    ["halves of two keys", mixedHalves(), "cannot be read; is it complete, with its line breaks?"],
    [
      "UTF-16",
      Buffer.from(keyPair().private, "utf16le").toString("latin1"),
      "is not a private key (it must begin with -----BEGIN … PRIVATE KEY-----)",
    ],
  ])("as %s is refused in one sentence", (_what, key, fault) => {
    expect(faults("hostPrivateKey", key)).toEqual([`hostPrivateKey ${fault}`]);
  });

  it("in the one format that the wait for the host cannot read is refused, with the command that rewrites it", () => {
    const fix = "ssh-keygen -p -N '' -f COPY rewrites a copy of it in OpenSSH's own format";
    expect(faults("hostPrivateKey", pemKey("pkcs8"))).toEqual([`hostPrivateKey is in PKCS#8 format; ${fix}`]);
  });

  it("that lost its line ends or a part of itself is refused", () => {
    const key = keyPair().private;
    const lines = key.split("\n");
    for (const broken of [lines.join(" "), lines.toSpliced(2, 1).join("\n")]) {
      expect(faults("hostPrivateKey", broken)).toEqual([
        "hostPrivateKey cannot be read; is it complete, with its line breaks?",
      ]);
    }
  });

  it.each<[string, (body: string) => string]>([
    ["a letter that is not seen", (body) => `${body.slice(0, 9)}\u200B${body.slice(9)}`],
    ["marks of a quotation", (body) => body.replace(/^/gm, "> ")],
    ["the letters of URLs", (body) => body.replaceAll("+", "-").replaceAll("/", "_").replace("b", "-")],
    ["more behind its end", (body) => `${body}=AAAA`],
    ["an end that is cut off", (body) => body.replace(/=+$/, "").slice(0, -1)],
  ])("with %s, which ssh2 reads over and OpenSSH does not, is refused", (_what, change) => {
    for (const key of [keyPair().private, keyPair("rsa").private, keyPair("ecdsa").private, pemKey("sec1")]) {
      const [, begin = "", body = "", end = ""] = /^(-.+-\n)([^-]+)\n(-.+-\n)$/.exec(key) ?? [];
      expect(faults("hostPrivateKey", `${begin}${body}\n${end}`)).toEqual([]);
      expect(faults("hostPrivateKey", `${begin}${change(body)}\n${end}`)).toEqual([
        "hostPrivateKey cannot be read; is it complete, with its line breaks?",
      ]);
    }
  });

  it.each(["~/.ssh/id_ed25519", keyPair().public])("is no file name and no public key", (value) => {
    expect(faults("hostPrivateKey", value)).toEqual([
      "hostPrivateKey is not a private key (it must begin with -----BEGIN … PRIVATE KEY-----)",
    ]);
  });
});

describe("the host key", () => {
  const types = "ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521";
  const [type = "", encoded = ""] = (minimal["hostKey"] ?? "").split(" ");
  const rsa = keyPair("rsa").public;
  const ecdsa = keyPair("ecdsa").public;

  it.each([
    ["as ssh-keyscan prints it, with the address in front", `203.0.113.7 ${type} ${encoded}`],
    ["with a comment behind", `${type} ${encoded} root@host`],
    ["as a fingerprint", "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"],
    ["of a type that is too weak", `ssh-dss ${encoded}`],
    ["of a type whose old signature sshd refuses", rsa],
  ])("%s is refused", (_form, value) => {
    expect(faults("hostKey", value)).toEqual([`hostKey is not "type base64" with a type of ${types}`]);
  });

  it.each([
    ["cut off", `${type} ${encoded.slice(0, 12)}`],
    ["cut off at its end", `${type} ${encoded.slice(0, -4)}`],
    ["broken into two lines", `${type} ${encoded.slice(0, 40)}\n${encoded.slice(40)}`],
    ["without its base64", type],
    ["of another type than it says", `ecdsa-sha2-nistp256 ${encoded}`],
  ])("%s is refused", (_form, value) => {
    expect(faults("hostKey", value)).toEqual(["hostKey does not contain a key of its type; is it complete?"]);
  });

  it.each([`${type} ${encoded}`, ecdsa])("of each usual type is accepted", (value) => {
    expect(faults("hostKey", value)).toEqual([]);
  });
});

describe("an empty text", () => {
  it("is the same as no value: what is needed is missing, what has a default has it", () => {
    const empty = Object.fromEntries(Object.keys(minimal).map((key) => [key, ""]));
    expect(sentences(messageOf(empty))).toEqual(sentences(messageOf({})));
    expect(faults("hostPort", "")).toEqual([]);
  });
});

/** In PKCS #1, shorter than servers take. */
function shortRsa(): string {
  return generateKeyPairSync("rsa", { modulusLength: 768 })
    .privateKey.export({ format: "pem", type: "pkcs1" })
    .toString();
}

/** OpenSSH's format, the public half of one key before the private half of another. */
function mixedHalves(): string {
  const body = (key: string) => Buffer.from(key.split("\n").slice(1, -2).join(""), "base64");
  const [one, other] = [body(keyPair().private), body(keyPair().private)];
  const header = one.indexOf("none", 0, "latin1");
  expectSameLength(one, other);
  // Up to the private section both are as long as each other: ed25519 has keys of one size.
  const split = one.indexOf(Buffer.from([0, 0, 0, 1]), header) + 4 + 4 + 51;
  const mixed = Buffer.concat([one.subarray(0, split), other.subarray(split)]).toString("base64");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${mixed.match(/.{1,70}/g)?.join("\n") ?? ""}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function expectSameLength(one: Buffer, other: Buffer): void {
  if (one.length !== other.length) throw new Error("the keys differ in size");
}
