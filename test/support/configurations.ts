import { enabledApps } from "../../components/apps/registry";
import { type Raw, everyApp, nasty } from "./app-settings";
import { pemCertificate, settingsOf } from "./settings";

/** Nearly every setting that is of no App. */
const full = (certificate: string): Raw => ({
  domain: "home.example.com",
  hostUser: "ubuntu",
  hostPort: "2222",
  sshCidrs: '["203.0.113.0/24","2001:db8::/32"]',
  adminUsername: "jo",
  adminEmail: "jo@example.com",
  adminPassword: "a long passphrase of mine",
  smtpAddress: "submission://smtp.example.com:587",
  smtpUsername: "mailer@example.com",
  smtpPassword: "mail secret",
  smtpSender: "login@example.com",
  sessionInactivity: "30m",
  sessionLifetime: "12h",
  sessionRemembered: "off",
  acmeEmail: "jo@example.com",
  acmeDirectories: '["https://ca.example.com/dir","https://ca2.example.com/dir"]',
  acmeTrustedRoot: certificate,
  fallbackCertificateMinutes: "3",
  dockerPackages: "distribution",
  imageRegistry: "registry.example.com:5000/mirror",
  dockerDns: '["1.1.1.1"]',
  ntpServer: "ntp.example.com",
  swapMiB: "0",
  timeZone: "Asia/Singapore",
  notify: '["ntfys://me:secret-of-ntfy@ntfy.example.com/topic-of-mine","json://127.0.0.1/$HOME?x=%22#{y}"]',
  billingKey: '{"id":"LTAI0123456789","secret":"secret-of-the-bill"}',
  monthlyLimit: "40",
  deleteData: "true",
});

/** With a limit OpenCode has a key of Caddy's in place of the providers': test/unit/opencode.test.ts and program-leaks.test.ts have that. */
const unlimited = { opencodeMonthlyLimitUsd: undefined };

/** Texts that the settings accept and a careless template would break on. */
const hostile: Raw = {
  domain: "xn--bcher-kva.example",
  adminUsername: "null",
  adminEmail: "o'brien+$HOME#&%|!*@example.com",
  adminPassword: nasty,
  smtpAddress: "submissions://smtp.example.com:465",
  smtpUsername: nasty,
  smtpPassword: nasty,
  smtpSender: "a$b'c&d#e@example.com",
  acmeEmail: "o'brien$HOME#&%@example.com",
  acmeDirectories: '["https://ca.example.com/dir?a=$HOME&b=1"]',
  dockerAptRepository: "https://mirror.example.com/$HOME/;&()",
  registryMirrors: '["https://mirror.example.com/$HOME&x"]',
  timeZone: "America/Argentina/Buenos_Aires",
};

/** By hand, so that both ways to a tunnel are in some stack of the tests. */
const tunnelByHand = {
  casecheckCloudflareApiToken: undefined,
  casecheckCloudflareAccountId: undefined,
  casecheckCloudflareZoneId: undefined,
};

/** Names of the Apps' stacks that a configuration switches on, in their order. */
export function appStacks(settings: Raw): string[] {
  return enabledApps(settingsOf(settings)).map(({ name }) => name);
}

/** Three stacks that together reach every branch of the templates that are of no App, and most of each App's: see apps.test.ts. */
export const configurations: readonly (readonly [string, Raw])[] = [
  ["the default configuration", {}],
  [
    "a configuration with nearly every setting given",
    { ...full(pemCertificate), ...everyApp("full", unlimited, full(pemCertificate)) },
  ],
  ["a configuration of hostile texts", { ...hostile, ...everyApp("hostile", tunnelByHand, hostile) }],
];
