// Configurations the gateway must take or refuse, as changes to the one that the program renders.
import { stringify } from "yaml";
import { type GatewayConfiguration, gatewayFiles } from "../../compare/gateway-files";

export interface Folder {
  readonly path: string;
  readonly port: number;
  readonly redisPort?: number;
}

export const domain = "10-0-0-2.sslip.io";

/** The program's own configuration with hosts of every policy, for this machine; sessions in memory without a port of Redis. */
export function goodConfiguration({ path, port, redisPort }: Folder): GatewayConfiguration {
  const { configuration } = gatewayFiles({
    folder: path,
    port,
    domain,
    username: "admin",
    hash: "$argon2id$",
    hosts: {
      public: { policy: "bypass" },
      api: {
        policy: "two_factor",
        paths: [
          { path: "/v1/*", policy: "bypass" },
          { path: "/admin/*", policy: "deny" },
        ],
      },
      one: { policy: "one_factor" },
      app: { policy: "two_factor" },
    },
  });
  if (redisPort === undefined) delete configuration.session.redis;
  else configuration.session.redis = { host: "127.0.0.1", port: redisPort };
  return configuration;
}

export function goodConfig(folder: Folder): string {
  return stringify(goodConfiguration(folder));
}

/** What it is about, the keys to change by their paths, their values; undefined takes the key away. */
export type Change = readonly [about: string, changes: Readonly<Record<string, unknown>>];

const cookie = "session.cookies.0";
const argon2 = "authentication_backend.file.password";
const endpoint = "server.endpoints.authz.forward-auth";
const mail = { address: "submission://mail.example.com:587", username: "me", sender: "Cloudcode <me@example.com>" };

export const accepted: readonly Change[] = [
  ["the program's text itself", {}],
  ["a duration of several units", { "session.inactivity": "1h30m" }],
  ["a duration as a number of seconds", { "session.inactivity": 300 }],
  ["a rule for some people", { "access_control.rules.5.subject": [["user:jo"], ["user:mia"]] }],
  ["nobody remembered", { "session.remember_me": -1 }],
  ["a named group", { "access_control.rules.1.resources": ["^/(?P<version>v[0-9]+)/.*$"] }],
  ["a pattern that ignores case", { "access_control.rules.1.resources": ["(?i)^/V1$"] }],
  ["mail over SMTP", { notifier: { disable_startup_check: true, smtp: mail } }],
  ["mail over TLS", { notifier: { disable_startup_check: true, smtp: { ...mail, address: "submissions://x.io" } } }],
  [
    "password reset with its secret",
    {
      "authentication_backend.password_reset.disable": false,
      identity_validation: { reset_password: { jwt_secret: "x" } },
    },
  ],
  [
    "nip.io names",
    {
      [cookie]: {
        domain: "1-2-3-4.nip.io",
        authelia_url: "https://auth.1-2-3-4.nip.io",
        default_redirection_url: "https://1-2-3-4.nip.io",
      },
    },
  ],
];

const absent = undefined;

/** As above, then words the complaint must contain. */
export const refused: readonly (readonly [...Change, complaint: string])[] = [
  ["an unknown key", { colour: "red" }, "configuration key not expected: colour"],
  ["an unknown nested key", { "webauthn.rp_id": "x" }, "configuration key not expected: webauthn.rp_id"],
  [
    "an unknown key in a rule",
    { "access_control.rules.4.group": "admins" },
    "not expected: access_control.rules[].group",
  ],
  // Known to the real one, not written by the program.
  ["server.host beside address", { "server.host": "0.0.0.0" }, "not expected: server.host"],
  ["session.domain beside cookies", { "session.domain": domain }, "not expected: session.domain"],
  ["jwt_secret at the top", { jwt_secret: "abcdefghijklmnopqrst" }, "not expected: jwt_secret"],
  ["flat argon2 keys", { [`${argon2}.memory`]: 64 }, "not expected: authentication_backend.file.password.memory"],
  [
    "webauthn.user_verification",
    { "webauthn.user_verification": "required" },
    "not expected: webauthn.user_verification",
  ],
  [
    "a rule for a group",
    { "access_control.rules.4.subject": "group:admins" },
    "'access_control.rules[4].subject' expected type 'array', got 'group:admins'",
  ],
  [
    "rules for methods",
    { "access_control.rules.4.methods": ["OPTIONS"] },
    "not expected: access_control.rules[].methods",
  ],
  [
    "rules for networks",
    { "access_control.rules.4.networks": ["10.0.0.0/8"] },
    "not expected: access_control.rules[].networks",
  ],
  ["LDAP", { "authentication_backend.ldap": { address: "ldap://x" } }, "not expected: authentication_backend.ldap"],
  ["another database", { "storage.postgres": { address: "tcp://x" } }, "not expected: storage.postgres"],
  ["OpenID Connect", { identity_providers: { oidc: {} } }, "not expected: identity_providers"],
  ["seven digits", { "totp.digits": 7 }, "not expected: totp.digits"],
  // Values that the stand-in has no code for.
  ["no passkey sign-in", { "webauthn.enable_passkey_login": false }, "webauthn: option 'enable_passkey_login' must be"],
  [
    "passkeys as one factor",
    { "webauthn.experimental_enable_passkey_uv_two_factors": false },
    "option 'experimental_enable_passkey_uv_two_factors' must be",
  ],
  [
    "passkeys without a finger",
    { "webauthn.selection_criteria.user_verification": "preferred" },
    "webauthn: selection_criteria: option 'user_verification' must be one of 'required'",
  ],
  ["bans of users", { "regulation.modes": ["user"] }, "regulation: option 'modes' must be one of 'ip'"],
  [
    "another default policy",
    { "access_control.default_policy": "bypass" },
    "option 'default_policy' must be one of 'deny'",
  ],
  ["two cookies", { "session.cookies.1": { domain } }, "session: option 'cookies' has more than"],
  ["mail that is checked at the start", { notifier: { smtp: mail } }, "option 'disable_startup_check'"],
  ["an NTP server that must answer", { "ntp.disable_failure": absent }, "ntp: option 'disable_failure' is required"],
  ["a number where a word belongs", { "totp.issuer": 12 }, "'totp.issuer' expected type 'string', got '12'"],
  // Wrong for the real one too: it was given these on 2026-11-28, and all of the accepted ones.
  ["no backend", { "authentication_backend.file": null }, "'file' or 'ldap'"],
  ["no users path", { "authentication_backend.file.path": "" }, "file: option 'path' is required"],
  ["too little argon2 memory", { [`${argon2}.argon2.memory`]: 4 }, "argon2: option 'memory'"],
  ["less argon2 memory than its lanes need", { [`${argon2}.argon2.parallelism`]: 9999 }, "argon2: option 'memory'"],
  ["a hash nobody knows", { [`${argon2}.algorithm`]: "md5" }, "password: option 'algorithm' must be one of"],
  [
    "reset without its secret",
    { "authentication_backend.password_reset.disable": false },
    "identity_validation: reset_password: option 'jwt_secret' is required",
  ],
  ["no cookies", { "session.cookies": [] }, "session: option 'cookies' is required"],
  [
    "a cookie without domain",
    { [`${cookie}.domain`]: absent },
    "session: domain config #1 (domain ''): option 'domain' is required",
  ],
  ["a cookie without portal", { [`${cookie}.authelia_url`]: absent }, "option 'authelia_url' is required"],
  ["localhost", { [`${cookie}.domain`]: "localhost" }, "at least a single period"],
  ["a public suffix", { [`${cookie}.domain`]: "co.uk" }, "public suffix list"],
  ["a private public suffix", { [`${cookie}.domain`]: "duckdns.org" }, "public suffix list"],
  ["a wildcard domain", { [`${cookie}.domain`]: `*.${domain}` }, "not a wildcard domain"],
  ["a domain in capitals", { [`${cookie}.domain`]: "Example.Com" }, "does not appear to be a valid cookie domain"],
  ["a domain with a port", { [`${cookie}.domain`]: `${domain}:8443` }, "does not appear to be a valid cookie domain"],
  ["a portal over http", { [`${cookie}.authelia_url`]: `http://auth.${domain}` }, "does not have a secure scheme"],
  [
    "a portal elsewhere",
    { [`${cookie}.authelia_url`]: "https://auth.example.com" },
    `session: domain config #1 (domain '${domain}'): option 'authelia_url' does not share a cookie scope`,
  ],
  ["a portal without scheme", { [`${cookie}.authelia_url`]: `auth.${domain}` }, "not absolute"],
  [
    "a redirection equal to the portal",
    { [`${cookie}.default_redirection_url`]: `https://auth.${domain}` },
    "effectively equal",
  ],
  [
    "a redirection elsewhere",
    { [`${cookie}.default_redirection_url`]: "https://example.com" },
    "does not share a cookie scope",
  ],
  ["a same_site nobody knows", { "session.same_site": "loose" }, "session: option 'same_site' must be one of"],
  [
    "a key in the file and in its secret",
    { "storage.encryption_key": "short" },
    "key 'storage.encryption_key': it's already",
  ],
  ["no database", { "storage.local": null }, "must be provided"],
  ["no notifier", { "notifier.filesystem": absent }, "either the 'smtp' or 'filesystem'"],
  ["two notifiers", { "notifier.smtp": mail }, "only one of the 'smtp' or 'filesystem'"],
  [
    "mail from nobody",
    { notifier: { disable_startup_check: true, smtp: { ...mail, sender: "me" } } },
    "'notifier.smtp.sender' could not decode 'me' to a mail.Address",
  ],
  [
    "mail over HTTP",
    { notifier: { disable_startup_check: true, smtp: { ...mail, address: "http://x" } } },
    "option 'address'",
  ],
  ["no rules and deny", { "access_control.rules": absent }, "when no rules are specified"],
  [
    "a policy nobody knows",
    { "access_control.rules.4.policy": "three_factor" },
    `access_control: rule #5 (domain 'one.${domain}'): option 'policy' must be one of`,
  ],
  [
    "a bypass for some people",
    { "access_control.rules.0.subject": [["user:jo"]] },
    `access_control: rule #1 (domain 'public.${domain}'): 'policy' option 'bypass' is not supported when 'subject'`,
  ],
  ["a subject of no kind", { "access_control.rules.5.subject": [["jo"]] }, "'subject' option 'jo' is invalid: "],
  ["a rule without policy", { "access_control.rules.4.policy": absent }, "option 'policy' must be present"],
  ["a rule without domain", { "access_control.rules.4.domain": absent }, "access_control: rule #5: option 'domain'"],
  ["a lookahead, which RE2 lacks", { "access_control.rules.1.resources.0": "^/(?!admin).*$" }, "error parsing regexp"],
  ["a backreference, which RE2 lacks", { "access_control.rules.1.resources.0": "^/(a)\\1$" }, "error parsing regexp"],
  [
    "an open bracket",
    { "access_control.rules.1.resources.0": "^/v1([/?].*$" },
    "'access_control.rules[1].resources[0]' could not decode '^/v1([/?].*$' to a regexp.Regexp: error parsing regexp",
  ],
  ["more find than ban time", { "regulation.find_time": "20m" }, "regulation: option 'find_time' must be less"],
  [
    "a duration nobody knows",
    { "session.inactivity": "soon" },
    "decoding failed due to the following error(s): 'session.inactivity' could not decode 'soon' to a time.Duration",
  ],
  ["less than no time", { "session.inactivity": -1 }, "session.inactivity"],
  ["no duration at all", { "session.inactivity": [] }, "session.inactivity"],
  ["a theme nobody knows", { theme: "pink" }, "option 'theme' must be one of"],
  ["a log level nobody knows", { "log.level": "loud" }, "log: option 'level' must be one of"],
  [
    "an endpoint of no kind",
    { [`${endpoint}.implementation`]: "Forward" },
    "forward-auth: option 'implementation' must be one of",
  ],
  [
    "a strategy nobody knows",
    { [`${endpoint}.authn_strategies.0.name`]: "Cookies" },
    "server: endpoints: authz: forward-auth: authn_strategies: option 'name' must be one of",
  ],
  ["a server over udp", { "server.address": "udp://127.0.0.1:19000/" }, "server: option 'address' with value 'udp:"],
  ["a word where a number belongs", { "server.buffers.read": "much" }, "server.buffers.read"],
  ["a word where a section belongs", { server: "much" }, "'server' expected type 'object', got 'much'"],
];

/** The configuration's text with one change. */
export function changed(folder: Folder, changes: Change[1]): string {
  const tree = structuredClone<unknown>(goodConfiguration(folder));
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const owner = keys.reduce((inner, key) => inner[key] as Record<string, unknown>, tree as Record<string, unknown>);
    if (value === undefined) Reflect.deleteProperty(owner, last);
    else owner[last] = value;
  }
  return stringify(tree);
}
