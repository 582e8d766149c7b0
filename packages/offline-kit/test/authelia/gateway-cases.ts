// Configurations the gateway must take or refuse, as changes to one good text; by hand they are also put to the real one.
export interface Folder {
  readonly path: string;
  readonly port: number;
  readonly redisPort?: number;
}

export const domain = "10-0-0-2.sslip.io";

/** Of the shape the program renders: file users, sqlite, passkeys, optional Redis. */
export function goodConfig({ path, port, redisPort }: Folder): string {
  return `theme: auto
default_2fa_method: webauthn
server:
  address: tcp://127.0.0.1:${port}/
  buffers:
    read: 16384
    write: 16384
  disable_healthcheck: true
  endpoints:
    authz:
      forward-auth:
        implementation: ForwardAuth
        authn_strategies:
          - name: CookieSession
log:
  level: info
  format: text
telemetry:
  metrics:
    enabled: false
totp:
  issuer: cloudcode
  period: 30
  skew: 1
webauthn:
  enable_passkey_login: true
  experimental_enable_passkey_uv_two_factors: true
  display_name: cloudcode
  attestation_conveyance_preference: indirect
  timeout: 60 seconds
  selection_criteria:
    discoverability: required
    user_verification: required
ntp:
  disable_startup_check: true
authentication_backend:
  password_reset:
    disable: true
  password_change:
    disable: false
  refresh_interval: 1m
  file:
    path: ${path}/users.yml
    watch: true
    search:
      email: false
    password:
      algorithm: argon2
      argon2:
        variant: argon2id
        iterations: 1
        memory: 8192
        parallelism: 1
        key_length: 32
        salt_length: 16
access_control:
  default_policy: deny
  rules:
    - domain: public.${domain}
      policy: bypass
    - domain: api.${domain}
      resources:
        - ^/v1([/?].*)?$
      policy: bypass
    - domain: api.${domain}
      resources:
        - ^/admin([/?].*)?$
      subject: group:admins
      policy: two_factor
    - domain: api.${domain}
      resources:
        - ^/admin([/?].*)?$
      policy: deny
    - domain: one.${domain}
      policy: one_factor
    - domain:
        - ${domain}
        - "*.${domain}"
      methods:
        - OPTIONS
      policy: bypass
    - domain:
        - ${domain}
        - "*.${domain}"
      policy: two_factor
session:
  name: authelia_session
  same_site: lax
  inactivity: 12h
  expiration: 12h
  remember_me: 1M
  cookies:
    - domain: ${domain}
      authelia_url: https://auth.${domain}
      default_redirection_url: https://${domain}
${redisPort === undefined ? "" : `  redis:\n    host: 127.0.0.1\n    port: ${redisPort}\n`}regulation:
  max_retries: 3
  find_time: 2m
  ban_time: 5m
storage:
  local:
    path: ${path}/db.sqlite3
notifier:
  filesystem:
    filename: ${path}/notification.txt
`;
}

/** What it is about, the text to replace, its replacement. */
export type Change = readonly [about: string, from: string, to: string];

export const accepted: readonly Change[] = [
  ["the good text itself", "theme: auto", "theme: auto"],
  ["a portal below a path", ":19000/", ":19000/auth"],
  ["an address without scheme", "tcp://127.0.0.1:19000/", "127.0.0.1:19000"],
  [
    "both header and cookie strategies",
    "- name: CookieSession",
    "- name: HeaderAuthorization\n            schemes: [basic]\n          - name: CookieSession",
  ],
  [
    "no endpoints at all",
    "  endpoints:\n    authz:\n      forward-auth:\n        implementation: ForwardAuth\n        authn_strategies:\n          - name: CookieSession\n",
    "",
  ],
  ["a duration of long words", "inactivity: 12h", "inactivity: 1 hour and 30 minutes"],
  ["a duration as a number of seconds", "inactivity: 12h", "inactivity: 300"],
  ["remember me switched off", "remember_me: 1M", "remember_me: -1"],
  ["a named group that is no identity", "^/v1([/?].*)?$", "^/(?P<version>v[0-9]+)/.*$"],
  ["a pattern that ignores case", "^/v1([/?].*)?$", "(?i)^/V1$"],
  ["subjects that must all hold", "subject: group:admins", 'subject: [["user:admin", "group:admins"]]'],
  ["networks", "subject: group:admins", 'networks: [10.0.0.0/8, 192.0.2.1, "fd00::/8"]'],
  ["a query", "methods:\n        - OPTIONS", "query:\n        - - key: token\n            operator: present"],
  ["no redirection of its own", `      default_redirection_url: https://${domain}\n`, ""],
  ["regulation left out", "regulation:\n  max_retries: 3\n  find_time: 2m\n  ban_time: 5m\n", ""],
  [
    "mail over SMTP",
    "filesystem:\n    filename: FOLDER/notification.txt",
    "smtp:\n    address: submission://mail.example.com:587\n    username: me\n    sender: Cloudcode <me@example.com>",
  ],
  [
    "nip.io names",
    `cookies:\n    - domain: ${domain}\n      authelia_url: https://auth.${domain}\n      default_redirection_url: https://${domain}`,
    "cookies:\n    - domain: 1-2-3-4.nip.io\n      authelia_url: https://auth.1-2-3-4.nip.io",
  ],
];

/** As above, then words the complaint must contain. `strict` marks what the real one would let pass with a warning or silently. */
export const refused: readonly (readonly [...Change, complaint: string, strict?: "strict"])[] = [
  ["an unknown key", "theme: auto", "theme: auto\ncolour: red", "configuration key not expected: colour"],
  [
    "an unknown nested key",
    "display_name: cloudcode",
    "display_name: cloudcode\n  rp_id: x",
    "not expected: webauthn.rp_id",
  ],
  [
    "an unknown key in a rule",
    "policy: one_factor",
    "policy: one_factor\n      group: admins",
    "not expected: access_control.rules[4].group",
  ],
  ["a key given twice", "theme: auto", "theme: auto\ntheme: dark", "yaml"],
  ["text that is no YAML", "theme: auto", "theme: [auto", "yaml"],
  [
    "server.host beside address",
    "disable_healthcheck: true",
    "disable_healthcheck: true\n  host: 0.0.0.0",
    "'server.host' was replaced by 'server.address'",
  ],
  [
    "server.port",
    "address: tcp://127.0.0.1:19000/",
    "port: 9091",
    "'server.port' was replaced by 'server.address'",
    "strict",
  ],
  ["session.domain beside cookies", "same_site: lax", `same_site: lax\n  domain: ${domain}`, "session.domain"],
  [
    "jwt_secret at the top",
    "theme: auto",
    "theme: auto\njwt_secret: abcdefghijklmnopqrst",
    "'jwt_secret' was replaced by",
    "strict",
  ],
  ["flat argon2 keys", "algorithm: argon2\n", "algorithm: argon2id\n      memory: 64\n", "was replaced by", "strict"],
  [
    "webauthn.timeout with sub-keys",
    "timeout: 60 seconds",
    "timeout:\n    enable: true\n    seconds: 60",
    "webauthn.timeout",
  ],
  [
    "webauthn.user_verification",
    "display_name: cloudcode",
    "display_name: cloudcode\n  user_verification: required",
    "was replaced by",
    "strict",
  ],
  [
    "a two-factor passkey without passkey sign-in",
    "enable_passkey_login: true\n  exp",
    "enable_passkey_login: false\n  exp",
    "experimental_enable_passkey_uv_two_factors",
  ],
  [
    "passkey sign-in without webauthn",
    "enable_passkey_login: true\n  exp",
    "disable: true\n  enable_passkey_login: true\n  exp",
    "enable_passkey_login",
  ],
  [
    "an attestation nobody knows",
    "attestation_conveyance_preference: indirect",
    "attestation_conveyance_preference: all",
    "attestation_conveyance_preference",
  ],
  [
    "no backend",
    "file:\n    path: FOLDER/users.yml\n    watch: true\n    search:\n      email: false\n    password:\n      algorithm: argon2\n      argon2:\n        variant: argon2id\n        iterations: 1\n        memory: 8192\n        parallelism: 1\n        key_length: 32\n        salt_length: 16\n",
    "file:\n",
    "'file' or 'ldap'",
  ],
  ["no users path", "path: FOLDER/users.yml", "path: ''", "file: option 'path' is required"],
  ["too little argon2 memory", "memory: 8192", "memory: 4", "option 'memory'"],
  ["a hash nobody knows", "algorithm: argon2\n", "algorithm: md5\n", "option 'algorithm' must be one of"],
  [
    "reset without its secret",
    "password_reset:\n    disable: true",
    "password_reset:\n    disable: false",
    "option 'jwt_secret' is required",
  ],
  [
    "no cookies",
    `cookies:\n    - domain: ${domain}\n      authelia_url: https://auth.${domain}\n      default_redirection_url: https://${domain}\n`,
    "cookies: []\n",
    "session: option 'cookies' is required",
  ],
  [
    "a cookie without domain",
    `- domain: ${domain}\n      authelia_url`,
    "- authelia_url",
    "option 'domain' is required",
  ],
  [
    "a cookie without portal",
    `authelia_url: https://auth.${domain}\n      default`,
    "default",
    "option 'authelia_url' is required",
  ],
  [
    "localhost",
    `- domain: ${domain}\n      authelia_url: https://auth.${domain}\n      default_redirection_url: https://${domain}`,
    "- domain: localhost\n      authelia_url: https://auth.localhost",
    "at least a single period",
  ],
  [
    "a public suffix",
    `- domain: ${domain}\n      authelia_url: https://auth.${domain}\n      default_redirection_url: https://${domain}`,
    "- domain: co.uk\n      authelia_url: https://auth.co.uk",
    "public suffix list",
  ],
  [
    "a private public suffix",
    `- domain: ${domain}\n      authelia_url: https://auth.${domain}\n      default_redirection_url: https://${domain}`,
    "- domain: duckdns.org\n      authelia_url: https://auth.duckdns.org",
    "public suffix list",
  ],
  [
    "a wildcard domain",
    `- domain: ${domain}\n      authelia_url`,
    `- domain: "*.${domain}"\n      authelia_url`,
    "not a wildcard domain",
  ],
  [
    "a domain in capitals",
    `- domain: ${domain}\n      authelia_url`,
    "- domain: Example.Com\n      authelia_url",
    "does not appear to be a valid cookie domain",
  ],
  [
    "a domain with a port",
    `- domain: ${domain}\n      authelia_url`,
    `- domain: ${domain}:8443\n      authelia_url`,
    "does not appear to be a valid cookie domain",
  ],
  ["a portal over http", `authelia_url: https://auth.`, "authelia_url: http://auth.", "does not have a secure scheme"],
  [
    "a portal elsewhere",
    `authelia_url: https://auth.${domain}`,
    "authelia_url: https://auth.example.com",
    "does not share a cookie scope",
  ],
  ["a portal without scheme", `authelia_url: https://auth.${domain}`, `authelia_url: auth.${domain}`, "not absolute"],
  [
    "a redirection equal to the portal",
    `default_redirection_url: https://${domain}`,
    `default_redirection_url: https://auth.${domain}`,
    "effectively equal",
  ],
  [
    "a redirection elsewhere",
    `default_redirection_url: https://${domain}`,
    "default_redirection_url: https://example.com",
    "does not share a cookie scope",
  ],
  ["two equal cookies", "regulation:", `regulation:`, "duplicate value"],
  ["a same_site nobody knows", "same_site: lax", "same_site: loose", "same_site"],
  ["a short encryption key", "storage:\n", "storage:\n  encryption_key: short\n", "encryption_key"],
  ["no database", "local:\n    path: FOLDER/db.sqlite3\n", "local:\n", "must be provided"],
  [
    "no notifier",
    "filesystem:\n    filename: FOLDER/notification.txt\n",
    "disable_startup_check: true\n",
    "either the 'smtp' or 'filesystem'",
  ],
  [
    "two notifiers",
    "notifier:\n",
    "notifier:\n  smtp:\n    address: smtp://mail:25\n    sender: a@example.com\n",
    "only one of the 'smtp' or 'filesystem'",
  ],
  ["no rules and deny", "RULES", "", "when no rules are specified"],
  ["a policy nobody knows", "policy: one_factor", "policy: three_factor", "option 'policy' must be one of"],
  [
    "a rule without policy",
    `- domain: one.${domain}\n      policy: one_factor`,
    `- domain: one.${domain}`,
    "option 'policy' must be present",
  ],
  ["a rule without domain", `- domain: one.${domain}\n      policy`, "- policy", "'domain' or 'domain_regex'"],
  [
    "bypass for a group",
    "subject: group:admins\n      policy: two_factor",
    "subject: group:admins\n      policy: bypass",
    "'bypass' is not supported when 'subject'",
  ],
  [
    "bypass for the domain of a user",
    `domain: public.${domain}`,
    `domain_regex: ^(?P<User>\\w+)\\.${domain}$`,
    "'bypass' is not supported when 'domain_regex'",
  ],
  ["a subject without kind", "subject: group:admins", "subject: admins", "must start with 'user:'"],
  ["a method nobody knows", "- OPTIONS", "- FETCH", "option 'methods'"],
  ["a method in small letters", "- OPTIONS", "- options", "option 'methods'"],
  ["a method twice", "- OPTIONS", "- OPTIONS\n        - OPTIONS", "duplicated"],
  ["a network that is none", "subject: group:admins", "networks: [10.0.0.0/99]", "not a valid Group Name, IP, or CIDR"],
  ["a lookahead, which RE2 lacks", "^/v1([/?].*)?$", "^/(?!admin).*$", "error parsing regexp"],
  ["a backreference, which RE2 lacks", "^/v1([/?].*)?$", "^/(a)\\1$", "error parsing regexp"],
  ["an open bracket", "^/v1([/?].*)?$", "^/v1([/?].*$", "error parsing regexp"],
  ["a period below 15", "period: 30", "period: 5", "option 'period'"],
  ["seven digits", "period: 30", "period: 30\n  digits: 7", "option 'digits'"],
  ["more find than ban time", "find_time: 2m", "find_time: 20m", "find_time"],
  ["a duration nobody knows", "inactivity: 12h", "inactivity: soon", "inactivity"],
  ["a theme nobody knows", "theme: auto", "theme: pink", "theme"],
  [
    "a second factor that is switched off",
    "totp:\n",
    "totp:\n  disable: true\nduo_api:\n  disable: true\nx_default:\n",
    "x_default",
  ],
  ["a log level nobody knows", "level: info", "level: loud", "option 'level' must be one of"],
  [
    "an endpoint of no kind",
    "implementation: ForwardAuth",
    "implementation: Forward",
    "option 'implementation' must be one of",
  ],
  ["a strategy nobody knows", "- name: CookieSession", "- name: Cookies", "option 'name' must be one of"],
  [
    "schemes for the cookie",
    "- name: CookieSession",
    "- name: CookieSession\n            schemes: [basic]",
    "option 'schemes'",
  ],
  ["a server over udp", "tcp://127.0.0.1:19000/", "udp://127.0.0.1:19000/", "option 'address'"],
  ["an NTP address over tcp", "ntp:\n", "ntp:\n  address: tcp://time.example.com:123\n", "ntp: option 'address'"],
  [
    "long one-time codes",
    "ntp:\n",
    "identity_validation:\n  elevated_session:\n    characters: 30\nntp:\n",
    "option 'characters' must be 20 or less",
  ],
  ["a number where a word belongs", "issuer: cloudcode", "issuer: 12", "totp.issuer", "strict"],
  ["a word where a number belongs", "read: 16384", "read: much", "server.buffers.read"],
];

/** The text with one change; FOLDER and RULES stand for what every folder has of its own. */
export function changed(text: string, folder: Folder, [about, from, to]: Change): string {
  if (about === "two equal cookies")
    return text.replace(
      "  cookies:\n",
      `  cookies:\n    - domain: ${domain}\n      authelia_url: https://auth.${domain}\n`,
    );
  if (from === "RULES") return text.replace(/ {2}rules:\n[\s\S]*?\nsession:/, "session:");
  const wanted = from.replaceAll("FOLDER", folder.path).replaceAll(":19000", `:${folder.port}`);
  if (!text.includes(wanted)) throw new Error(`nothing to change for: ${about}`);
  return text.replace(wanted, () => to.replaceAll("FOLDER", folder.path).replaceAll(":19000", `:${folder.port}`));
}
