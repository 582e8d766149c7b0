import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import * as fc from "fast-check";
import * as check from "../../components/settings/checks";
import { integer } from "../../components/settings/setting";
import { tgSigner } from "../support/least-apps";
import { minimalAlicloud } from "../support/minimal";
import { faultsOf } from "../support/settings";

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }) => (value: unknown) =>
  schema.safeParse(value).success;

/** Texts near the edge of what a key takes: odd numbers, look-alikes, and characters that belong elsewhere. */
const odd = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...Array.from("0123456789.:/-,*~ xeabfT%[]@#?")), maxLength: 14 }),
  fc.constantFrom(
    "0x10",
    "1e3",
    " 5 ",
    "5.0",
    "-0",
    "+5",
    "٥",
    "５",
    "Infinity",
    "NaN",
    "0b1",
    "1_000",
    "08",
    "5n",
    "null",
  ),
);

describe("a whole number", () => {
  const schema = integer(-5, 10_000, { description: "", example: "" }).schema;
  it("is what every reader writes back the same", () => {
    fc.assert(
      fc.property(fc.oneof(odd, fc.integer().map(String)), (text) => {
        const number = Number(text);
        const valid = Number.isInteger(number) && String(number) === text && number >= -5 && number <= 10_000;
        return accepts(schema)(text) === valid;
      }),
      { numRuns: 2000 },
    );
  });

  it.each(["0x10", "1e3", " 22", "22 ", "22.0", "-0", "+22", "022", "٢٢", "２２", "22\n", "", "null"])(
    "%j is no port",
    (text) => {
      expect(accepts(integer(1, 65535, { description: "", example: "" }).schema)(text)).toBe(false);
    },
  );
});

describe("a host name", () => {
  it("is one that a browser reads as it stands", () => {
    fc.assert(
      fc.property(fc.oneof(odd, fc.domain()), (text) => {
        if (!accepts(check.hostName)(text)) return true;
        const { hostname } = new URL(`http://${text}/`);
        return hostname === text && isIP(hostname) === 0;
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.domain(), (name) => {
        expect(accepts(check.hostName)(name.toLowerCase())).toBe(true);
      }),
    );
  });

  it.each([
    "01",
    "1.2.3",
    "127.1",
    "0x7f.1",
    "256.1.1.1",
    "a.1",
    "a.0x",
    "xn--a.example",
    "ex\u0430mple.com",
    "a_b.c",
    "a..b",
    "a.b.",
  ])("%j is none", (text) => {
    expect(accepts(check.address)(text)).toBe(false);
  });
});

describe("a network", () => {
  it("is its first address and a width, in one form whatever was written", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 128 }), (ip, bits) => {
        const parsed = check.cidr.safeParse(`${ip}/${bits}`);
        if (!parsed.success) return true;
        const again = check.cidr.safeParse(parsed.data);
        return again.success && again.data === parsed.data && isIP(parsed.data.split("/")[0] ?? "") === isIP(ip);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["2001:DB8::/32", "2001:db8::/32"],
    ["2001:0db8:0:0:0:0:0:0/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["203.0.113.0/24", "203.0.113.0/24"],
  ])("%s is %s", (text, usual) => {
    expect(check.cidr.parse(text)).toBe(usual);
  });

  it.each(["2001:db8::1/32", "fe80::%eth0/64", "203.0.113.0/024", "203.0.113.0/２4", "203.0.113.0/+24", "010.0.0.0/8"])(
    "%s is none",
    (text) => {
      expect(accepts(check.cidr)(text)).toBe(false);
    },
  );
});

const analyze = "/usr/bin/systemd-analyze";
const calendarPart = (max: number) => {
  const number = fc.integer({ min: 0, max }).map(String);
  const padded = number.map((text) => text.padStart(2, "0"));
  const range = fc.tuple(number, number).map((ends) => ends.join(".."));
  const one = fc.oneof(number, padded, range);
  const stepped = fc.tuple(one, fc.integer({ min: 0, max: 30 })).map((both) => both.join("/"));
  const some = fc.array(fc.oneof(one, stepped), { minLength: 1, maxLength: 2 }).map((parts) => parts.join(","));
  return fc.oneof(fc.constantFrom("*", "*", "*/2", "*,1"), some);
};
const weekday = fc.constantFrom("Mon", "tue", "Wednesday", "SUN", "Mon..Fri", "Sat,Sun", "Fri..Mon", "Mo", "Mon-Fri");
const zone = fc.constantFrom("UTC", "Asia/Singapore", "America/Argentina/Buenos_Aires", "Mars/X", "CET");
const calendarText = fc
  .tuple(
    fc.option(weekday, { nil: "" }),
    fc.option(
      fc.tuple(calendarPart(12), calendarPart(31)).map(([month, day]) => `*-${month}-${day}`),
      { nil: "" },
    ),
    fc.option(
      fc
        .tuple(calendarPart(23), calendarPart(59), fc.option(calendarPart(59), { nil: "00" }))
        .map((all) => all.join(":")),
      { nil: "" },
    ),
    fc.option(zone, { nil: "" }),
  )
  .map((parts) => parts.filter((part) => part !== "").join(" "));

describe("a calendar event", () => {
  const valid = accepts(check.calendar);
  it.each([
    "*-*-* 03:30:00",
    "daily",
    "Weekly",
    "Mon..Fri 04:00",
    "Sat,Sun *-*-* 4:5",
    "*-*-1,15 00:00",
    "*-02-29",
    "00/6:00",
    "03:30 Asia/Singapore",
    "Sun UTC",
    "*:0/15",
  ])("%s is one", (text) => {
    expect(valid(text)).toBe(true);
  });

  it.each([
    "::1",
    "",
    " ",
    "03",
    "2020-01-01 03:30",
    "*-02-30",
    "*-04,06-31 1:00",
    "24:00",
    "03:60",
    "*-*-* 03:30:00 +08:00",
    "@daily",
    "0 3 * * *",
    "Fri..Mon",
    "daily 03:00",
    "03:30 ",
    "03:30\n",
    "٠٣:30",
    "UTC",
  ])("%j is none", (text) => {
    expect(valid(text)).toBe(false);
  });

  (existsSync(analyze) ? it : it.skip)(
    "that is taken is known to systemd and comes again",
    () => {
      const samples = fc.sample(fc.oneof(calendarText, odd), { numRuns: 16_000, seed: 1 });
      const taken = [...new Set(samples.filter(valid))].slice(0, 400);
      expect(taken.length).toBeGreaterThan(200);
      const { status, stdout, stderr } = spawnSync(analyze, ["calendar", ...taken], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).not.toMatch(/Next elapse: never/);
      expect(stdout.match(/Next elapse: /g)).toHaveLength(taken.length);
    },
    120_000,
  );
});

describe("a time zone", () => {
  const zones = "/usr/share/zoneinfo";
  const names = Intl.supportedValuesOf("timeZone");
  (existsSync(zones) ? it : it.skip)("has a file of its very name in tzdata", () => {
    const changed = names.flatMap((name) => [
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      ` ${name}`,
      `posix/${name}`,
    ]);
    const taken = [...changed, "utc", "Utc", "EST", "GB", "US/Eastern", "+08:00", "Etc/GMT+8"].filter(
      accepts(check.timeZone),
    );
    expect(taken.length).toBeGreaterThanOrEqual(names.length);
    expect(taken.filter((name) => !existsSync(join(zones, name)))).toEqual([]);
  });
});

describe("what one key takes and its reader would not is reported", () => {
  const mail = { smtpAddress: "smtp://mx.example.com" };
  it.each<[Record<string, string>, string]>([
    [{ ...mail, smtpSender: "https://user:pw@h/x" }, "smtpSender is not a mail address"],
    [{ ...mail, smtpSender: "a@b@example.com" }, "smtpSender is not a mail address"],
    [{ ...mail, smtpSender: ".a@example.com" }, "smtpSender is not a mail address"],
    [{ ...mail, smtpSender: "\u0430@example.com" }, "smtpSender is not a mail address"],
    [{ ...mail, smtpSender: "a@1.2.3" }, "smtpSender is not a mail address"],
    [{ ...mail, smtpSender: `${"a".repeat(65)}@example.com` }, "smtpSender is not a mail address"],
    [{ acmeEmail: "root@localhost" }, "acmeEmail is at a domain without a dot, which no certificate authority accepts"],
    [{ acmeDirectories: "[]" }, "acmeDirectories is empty: list at least one"],
    [
      { acmeDirectories: '["https://ca.example.com/dir","https://ca.example.com/dir"]' },
      "acmeDirectories [1] is listed twice",
    ],
    [
      { acmeDirectories: '["https://me:pw@ca.example.com/dir"]' },
      "acmeDirectories [0] contains a user name or password, which is not used there",
    ],
    [{ acmeDirectories: '["https://ca.example.com/dir#x"]' }, "acmeDirectories [0] is not an https:// address"],
    [{ acmeDirectories: '["https:ca.example.com/dir"]' }, "acmeDirectories [0] is not an https:// address"],
    [{ acmeDirectories: '["https://b\u00fccher.example/dir"]' }, "acmeDirectories [0] is not an https:// address"],
    [{ acmeDirectories: '["https://ca.example.com:0/dir"]' }, "acmeDirectories [0] names no port of 1 to 65535"],
    [
      { acmeDirectories: '["https://ca.example.com/%zz"]' },
      "acmeDirectories [0] has a % that is not an escape: write %25",
    ],
    [{ acmeDirectories: '["https://0x7f.1/dir"]' }, "acmeDirectories [0] is not an https:// address"],
    [
      { acmeTrustedRoot: `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` },
      "acmeTrustedRoot is not one PEM certificate",
    ],
    [{ ntpServer: "01" }, "ntpServer is neither an IP address nor a host name"],
    [
      { backupSchedule: "::1" },
      "backupSchedule is not a calendar event of systemd that recurs, such as *-*-* 03:30:00 or Mon..Fri 04:00",
    ],
    [{ timeZone: "asia/singapore" }, "timeZone is not a time zone"],
    [{ timeZone: "+08:00" }, "timeZone is not a time zone"],
    [{ deleteData: "True" }, "deleteData is neither true nor false"],
    [{ dockerDns: '["127.0.0.1"]' }, "dockerDns [0] is the loopback address of each container, where no server runs"],
    [{ dockerDns: '["fe80::1%eth0"]' }, "dockerDns [0] is not an IP address"],
    [{ dockerDns: '["1.1.1.1","1.1.1.1"]' }, "dockerDns [1] is listed twice"],
    [{ sshCidrs: '["2001:db8::/32","2001:DB8::/32"]' }, "sshCidrs [1] is listed twice"],
    [
      { dockerAddressPool: "8.8.0.0/16" },
      "dockerAddressPool is not a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16: containers could not reach the real hosts there",
    ],
    [{ hostAddress: "10.201.0.9" }, "dockerAddressPool contains hostAddress, which containers could then not reach"],
    [
      { registryMirrors: '["https://mirror.example.com/?a=b"]' },
      "registryMirrors [0] has a query, but something is appended to it",
    ],
    [
      { registryMirrors: '["https://me:pw@mirror.example.com"]' },
      "registryMirrors [0] contains a user name or password, which is not used there",
    ],
    [{ imageRegistry: "mirror" }, "imageRegistry is not a registry such as registry.example.com/mirror"],
    [
      { imageRegistry: "registry.example.com:99999" },
      "imageRegistry is not a registry such as registry.example.com/mirror",
    ],
    [{ images: '{"caddy":"a//b:1"}' }, "images [caddy] is not an image reference with a tag or digest"],
    [{ images: '{"caddy":"a..b:1"}' }, "images [caddy] is not an image reference with a tag or digest"],
    [
      { smtpAddress: "smtp://me:pw@mx.example.com" },
      "smtpAddress contains a user name or password, which is not used there",
    ],
    [{ smtpAddress: "smtp://mx.example.com/path" }, "smtpAddress has something after its host and port"],
    [
      { smtpAddress: "smtp://mx.example.com:65536" },
      "smtpAddress is not a submission://, submissions:// or smtp:// address",
    ],
    [{ ...mail, smtpUsername: "me\nno: yes", smtpPassword: "x" }, "smtpUsername has more than one line"],
    [
      { backupRepository: "/srv/../etc" },
      "backupRepository is not oss, s3:https://HOST/BUCKET/PATH, sftp://USER@HOST:PORT//PATH, or a folder of two levels or more",
    ],
    [
      { opencodeOpenaiBaseUrl: "http://api.example.com/v1" },
      "opencodeOpenaiBaseUrl is not https://, but secrets are sent there: only a private address may use http://",
    ],
    [
      { domain: `${"a.".repeat(100)}example.com` },
      "domain is longer than 189 characters, which leaves no room for subdomains",
    ],
    [
      { opencodeSubdomain: "ab--cd" },
      "opencodeSubdomain has hyphens in its third and fourth place, for which no certificate authority issues a certificate",
    ],
    [
      { domain: "ab--cd.example.com" },
      "domain has a label that has hyphens in its third and fourth place, for which no certificate authority issues a certificate",
    ],
    [{ ...mail, smtpSender: "a@\u212Aelvin.example.com" }, "smtpSender is not a mail address"],
    [{ opencodeSubdomain: "xn--a" }, "opencodeSubdomain is not a DNS label of lower-case letters, digits and hyphens"],
    [
      { ...tgSigner, tgSignerProxy: "socks5://proxy.example.com:1080/path" },
      "tgSignerProxy has something after its host and port",
    ],
  ])("%j: %s", (settings, fault) => {
    expect(faultsOf(settings)).toEqual([fault]);
  });

  it.each<[Record<string, string>]>([
    [{ opencodeOpenaiBaseUrl: "http://192.168.1.5:11434/v1" }],
    [{ opencodeOpenaiBaseUrl: "http://[fd00::5]:11434/v1" }],
    [{ opencodeOpenaiBaseUrl: "http://ollama:11434/v1" }],
    [{ registryMirrors: '["http://10.0.0.1:5000"]' }],
    [{ imageRegistry: "10.0.0.1:5000/mirror" }],
    [{ ntpServer: "192.0.2.1" }],
    [{ opencodeSubdomain: "a--b" }],
    [{ opencodeSubdomain: "abc--d" }],
    [{ domain: "xn--bcher-kva.abc--d.example.com" }],
    [{ alertWebhook: "https://me:p%40w@hooks.example.com/a?b=c" }],
    [{ smtpAddress: "submission://[2001:db8::1]:587" }],
    [{ smtpAddress: "smtp://mx.example.com", smtpSender: "first.last+tag@mail.example.com" }],
  ])("%j is fine", (settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });

  it.each(["instanceTypes", "diskCategories"])("%s names one at least", (key) => {
    expect(faultsOf({ [key]: "[]" }, minimalAlicloud)).toEqual([`${key} is empty: list at least one`]);
  });
});
