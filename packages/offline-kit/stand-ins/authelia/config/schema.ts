// Stand-in for Authelia 4.39.20: the keys that stack-templates/auth-gateway/configuration.yml.hbs writes, and no other.
import { isIP } from "node:net";
import { RE2JS } from "re2js";
import { getPublicSuffix } from "tldts";
import * as z from "zod";
import { parseDuration } from "./duration";

// Messages stand behind the section's name; {key} is the key they are about, {value} what was written;
// those that begin with its whole {path} are of the decoder.
const section = z.strictObject;
const count = z.int().min(1);
const text = z.string().min(1, "option '{key}' is required");

/** Milliseconds. */
const duration = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseDuration(value);
  if (parsed !== undefined && parsed > 0) return parsed;
  context.addIssue("'{path}' could not decode '{value}' to a time.Duration: could not parse '{value}' as a duration");
  return z.NEVER;
});

const address = z.string().transform((value, context) => {
  const [, host = "", port] = /^tcp:\/\/([^:/?#@[\]]*):(\d{1,5})\/$/.exec(value) ?? [];
  if (port !== undefined && Number(port) < 65536) return { host, port: Number(port) };
  context.addIssue("option '{key}' with value '{value}' is invalid: this stand-in knows only 'tcp://HOST:PORT/'");
  return z.NEVER;
});

const ports: Readonly<Record<string, number>> = { submissions: 465, submission: 587, smtp: 25 };
const mailAddress = z.string().transform((value, context) => {
  const match = /^(?:(smtp|submissions?):\/\/)?([^:/?#@]+)(?::(\d{1,5}))?$/.exec(value);
  if (match) {
    const [, scheme, host = "", written] = match;
    const port = written === undefined ? (ports[scheme ?? "smtp"] ?? 25) : Number(written);
    return { host, port, implicitTls: scheme === "submissions" || (scheme === undefined && port === 465) };
  }
  context.addIssue(
    "option '{key}' with value '{value}' is invalid: scheme must be one of 'smtp', 'submission', or 'submissions' " +
      "followed by a host name and a port",
  );
  return z.NEVER;
});

const pattern = z.string().transform((value, context) => {
  try {
    return RE2JS.compile(value);
  } catch (error) {
    context.addIssue(
      `'{path}' could not decode '{value}' to a regexp.Regexp: ${error instanceof Error ? error.message : ""}`,
    );
    return z.NEVER;
  }
});

const policies = ["bypass", "one_factor", "two_factor", "deny"] as const;
/** Any of these, each a list of one: what several in one list mean is not known here. */
const subject = z.tuple([
  z.string().regex(/^user:./, "'subject' option '{value}' is invalid: this stand-in knows only 'user:NAME'"),
]);
const rule = section({
  domain: text,
  policy: z.enum(policies),
  subject: z.array(subject).min(1).optional(),
  resources: z.array(pattern).optional(),
}).refine(({ policy, subject: subjects }) => policy !== "bypass" || subjects === undefined, {
  path: ["policy"],
  message:
    "'policy' option 'bypass' is not supported when 'subject' option is configured: see https://www.authelia.com/c/acl#bypass",
});

const cookieDomain = z.string().superRefine((domain, context) => {
  const labels = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;
  if (domain.startsWith("*."))
    context.addIssue(
      "option '{key}' must be the domain you wish to protect not a wildcard domain but it's configured as '{value}'",
    );
  else if (isIP(domain) !== 0) return;
  else if (!domain.includes("."))
    context.addIssue(
      "option '{key}' is not a valid cookie domain: must have at least a single period or be an ip address",
    );
  else if (!labels.test(domain))
    context.addIssue("option '{key}' does not appear to be a valid cookie domain or an ip address");
  else if (getPublicSuffix(domain, { allowPrivateDomains: true }) === domain)
    context.addIssue(
      "option '{key}' is not a valid cookie domain: the domain is part of the special public suffix list",
    );
});
const webAddress = z.string().superRefine((value, context) => {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(value) || !URL.canParse(value))
    context.addIssue("option '{key}' is not absolute with a value of '{value}'");
  else if (!value.startsWith("https:"))
    context.addIssue("option '{key}' does not have a secure scheme with a value of '{value}'");
});

export function hasDomainSuffix(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

const cookie = section({
  domain: cookieDomain,
  authelia_url: webAddress,
  default_redirection_url: webAddress,
}).superRefine((value, context) => {
  for (const key of ["authelia_url", "default_redirection_url"] as const)
    if (!hasDomainSuffix(new URL(value[key]).hostname, value.domain))
      context.addIssue({
        code: "custom",
        path: [key],
        message: `option '{key}' does not share a cookie scope with domain '${value.domain}' with a value of '{value}'`,
      });
  if (new URL(value.authelia_url).href === new URL(value.default_redirection_url).href)
    context.addIssue({
      code: "custom",
      path: ["default_redirection_url"],
      message: `option '{key}' with value '{value}' is effectively equal to option 'authelia_url' with value '${value.authelia_url}' which is not permitted`,
    });
});

const argon2 = section({
  variant: z.literal("argon2id"),
  iterations: count,
  memory: z.int().min(8),
  parallelism: count,
  key_length: z.int().min(4),
  salt_length: count,
}).refine(({ memory, parallelism }) => memory >= parallelism * 8, {
  path: ["memory"],
  message: "option '{key}' is configured as '{value}' but must be at least 8 times option 'parallelism'",
});

const notifier = section({
  disable_startup_check: z.literal(true).optional(),
  filesystem: section({ filename: text }).optional(),
  smtp: section({
    address: mailAddress,
    sender: z
      .string()
      .regex(
        /^(?:[^<>]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
        "'{path}' could not decode '{value}' to a mail.Address (RFC5322)",
      ),
    username: text.optional(),
    password: z.string().optional(),
  }).optional(),
}).superRefine(({ disable_startup_check: unchecked, filesystem, smtp }, context) => {
  const say = (message: string) => {
    context.addIssue({ code: "custom", path: ["smtp"], message });
  };
  if (!filesystem && !smtp) say("you must ensure either the 'smtp' or 'filesystem' notifier is configured");
  if (filesystem && smtp) say("please ensure only one of the 'smtp' or 'filesystem' notifier is configured");
  if (smtp && unchecked !== true) say("option 'disable_startup_check' must be 'true' for this stand-in to use 'smtp'");
});

/** Values that would need code nobody uses are refused as well: `literal(true)`, enumerations of one. */
export const schema = section({
  theme: z.enum(["light", "dark", "grey", "oled", "auto"]),
  default_2fa_method: z.enum(["totp", "webauthn"]),
  server: section({
    address,
    disable_healthcheck: z.literal(true),
    buffers: section({ read: count, write: count }),
    timeouts: section({ read: duration, idle: duration }),
    endpoints: section({
      authz: section({
        "forward-auth": section({
          implementation: z.literal("ForwardAuth"),
          authn_strategies: z.array(section({ name: z.literal("CookieSession") })).length(1),
        }),
      }),
    }),
  }),
  log: section({ level: z.enum(["error", "warn", "info", "debug", "trace"]), format: z.literal("text") }),
  totp: section({ issuer: text }),
  webauthn: section({
    display_name: text,
    enable_passkey_login: z.literal(true),
    experimental_enable_passkey_uv_two_factors: z.literal(true),
    selection_criteria: section({ discoverability: z.literal("required"), user_verification: z.literal("required") }),
  }),
  authentication_backend: section({
    password_reset: section({ disable: z.boolean() }),
    file: section({
      path: text,
      watch: z.literal(true),
      password: section({ algorithm: z.literal("argon2"), argon2 }),
    }),
  }),
  identity_validation: section({ reset_password: section({ jwt_secret: text }) }).optional(),
  access_control: section({ default_policy: z.literal("deny"), rules: z.array(rule).min(1) }),
  session: section({
    secret: text,
    name: text,
    same_site: z.enum(["none", "lax", "strict"]),
    inactivity: duration,
    expiration: duration,
    /** -1: nobody is remembered. */
    remember_me: z.union([z.literal(-1), duration]),
    cookies: z.array(cookie).length(1),
    redis: section({ host: text, port: z.int().min(1).max(65535) }).optional(),
  }),
  regulation: section({
    modes: z.array(z.literal("ip")).length(1),
    max_retries: count,
    find_time: duration,
    ban_time: duration,
  }).refine((value) => value.find_time <= value.ban_time, {
    path: ["find_time"],
    message: "option '{key}' must be less than or equal to option 'ban_time'",
  }),
  storage: section({
    encryption_key: text.min(20, "option '{key}' must be 20 characters or longer"),
    local: section({ path: text }),
  }),
  ntp: section({ disable_failure: z.literal(true) }),
  notifier,
}).refine((value) => value.authentication_backend.password_reset.disable || value.identity_validation, {
  path: ["identity_validation", "reset_password", "jwt_secret"],
  message: "option '{key}' is required when the reset password functionality isn't disabled",
});

type Parsed = z.infer<typeof schema>;
/** The configuration, all durations in milliseconds, with its one cookie domain at hand. */
export type Config = Parsed & { readonly cookie: Parsed["session"]["cookies"][number] };
export type Policy = (typeof policies)[number];
export type Rule = z.infer<typeof rule>;
export type Argon2Params = z.infer<typeof argon2>;
