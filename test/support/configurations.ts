import { pemCertificate } from "./settings";

/** TG Signer with the least it needs. */
export const tgSigner = {
  tgSignerEnabled: "true",
  tgSignerApiId: "12345678",
  tgSignerApiHash: "0123456789abcdef0123456789abcdef",
};

/** The donation site with the least it needs. */
export const donation = {
  donationEnabled: "true",
  donationLinuxDoClientId: "client-of-linux-do",
  donationLinuxDoClientSecret: "secret of linux do",
  donationNewApiUrl: "https://api.example.com",
  donationNewApiAdminToken: "new-api-admin-token",
};

/** A tunnel's token of the right shape, of no tunnel. */
export const tunnelToken = Buffer.from(JSON.stringify({ a: "account", t: "tunnel", s: "c2VjcmV0" })).toString("base64");

/** A stack with nearly every setting given. */
const full = (certificate: string): Record<string, string> => ({
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
  deleteData: "true",
  opencodeSubdomain: "ai",
  opencodeTerminal: "false",
  opencodeMemoryMiB: "1024",
  opencodeAnthropicApiKey: "sk-ant-1234",
  opencodeOpenaiApiKey: "sk-1234",
  opencodeOpenaiBaseUrl: "https://api.example.com/v1",
  ...tgSigner,
  tgSignerSubdomain: "checkins",
  tgSignerProxy: "socks5://jo:proxy-secret@proxy.example.com:1080",
  tgSignerAdminPassword: "passphrase of tg signer",
  tgSignerMemoryMiB: "768",
  tgSignerWebdavUrl: "https://dav.example.com/jo",
  tgSignerWebdavUsername: "jo",
  tgSignerWebdavPassword: "dav secret",
  tgSignerWebdavPath: "/tg-signer/",
  tgSignerWebdavIntervalSeconds: "600",
  tgSignerWebdavEncryptionKey: "backup passphrase",
  tgSignerWebdavReplacesVolume: "true",
  ...donation,
  donationSubdomain: "give",
  donationProxySubdomain: "llm",
  donationLinuxDoAuthUrl: "https://connect.example.com/authorize",
  donationLinuxDoTokenUrl: "https://connect.example.com/token",
  donationLinuxDoUserUrl: "https://connect.example.com/user",
  donationAdminLinuxDoIds: '["12345",678]',
  donationQuotaAmount: "500000",
  donationNewApiAdminUser: "1",
  casecheckEnabled: "true",
  casecheckSubdomain: "cases",
  casecheckOpen: "true",
  casecheckOpenRegistration: "true",
  casecheckAdminPassword: "passphrase of casecheck",
  casecheckMemoryMiB: "512",
  casecheckBackupsKept: "3",
  lwsandboxEnabled: "true",
  lwsandboxSubdomain: "boxes",
  lwsandboxAdminUsername: "jo",
  lwsandboxAdminPassword: "passphrase of lwsandbox",
  lwsandboxSessionMaxAge: "3600",
  lwsandboxMinimumMemoryMiB: "4096",
  lwsandboxK3sUrl: "https://mirror.example.com/k3s/",
});

const nasty = `$HOME \${HOME} $$ $(id) \`id\` & < > " ' # \\ \\n %s {{x}} { } : - ! | * é 密码 🔑`;

/** Values the settings accept and a careless template would break on. */
const hostile: Readonly<Record<string, string>> = {
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
  opencodeSubdomain: "0x1",
  opencodeAnthropicApiKey: ` ${nasty} `,
  opencodeOpenaiApiKey: "=",
  opencodeOpenaiBaseUrl: "https://api.example.com/$HOME/v1/a=$x&b=%7B$$",
  ...tgSigner,
  tgSignerSubdomain: "1e3",
  tgSignerProxy: "http://jo:$HOME%20&()$$@proxy.example.com:1080",
  tgSignerAdminPassword: nasty,
  tgSignerOuterLogin: "basic",
  tgSignerBasicUsername: "null",
  tgSignerBasicPassword: nasty.slice(0, 60),
  tgSignerWebdavUrl: "https://dav.example.com/$HOME/a=$$&b=%7B",
  tgSignerWebdavUsername: nasty.slice(1).replace(":", ""),
  tgSignerWebdavPassword: nasty,
  tgSignerWebdavPath: `/${nasty.slice(1)}`,
  tgSignerWebdavReplacesVolume: "true",
  ...donation,
  donationSubdomain: "1e4",
  donationProxySubdomain: "0b1",
  donationLinuxDoClientId: nasty,
  donationLinuxDoClientSecret: ` ${nasty}`,
  donationLinuxDoAuthUrl: "https://connect.example.com/$HOME?a=$$&b=%7B",
  donationNewApiUrl: "https://api.example.com/$HOME/$$/a=&b",
  donationNewApiAdminToken: `$HOME$$\`'"#&<>{{x}}|!*`,
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelToken: tunnelToken,
  casecheckTunnelHost: "0x1.example.com",
  lwsandboxEnabled: "true",
  lwsandboxSubdomain: "0e7",
  lwsandboxAdminUsername: "null",
  lwsandboxAdminPassword: nasty.slice(0, 60),
  lwsandboxK3sUrl: "https://mirror.example.com/$HOME/;&()/a=$$&b=%7B",
  casecheckAdminPassword: nasty.slice(0, 60),
};

/** Names of the Apps' stacks that a configuration switches on, in their order. */
export function appStacks(settings: Readonly<Record<string, string>>): string[] {
  const on = (key: string, name: string) => (settings[key] === "true" ? [name] : []);
  return [
    "opencode",
    ...on("tgSignerEnabled", "tg-signer"),
    ...on("donationEnabled", "donation"),
    ...on("casecheckEnabled", "casecheck"),
    ...on("lwsandboxEnabled", "lwsandbox"),
  ];
}

/** Three stacks that together reach every branch of every template. */
export const configurations: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["the default configuration", {}],
  ["a configuration with nearly every setting given", full(pemCertificate)],
  ["a configuration of hostile texts", hostile],
];
