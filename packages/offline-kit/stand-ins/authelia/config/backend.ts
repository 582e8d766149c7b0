// Stand-in for Authelia 4.39.20: reads and checks `authentication_backend`, `storage` and `notifier`.
import { parseDuration } from "./duration";
import type { Section } from "./section";
import { joinOr } from "./section";
import type { Argon2Params, BackendConfig, GatewayConfig, NotifierConfig, SmtpConfig } from "./types";

const argon2Limits: Readonly<Record<string, readonly [number, number]>> = {
  iterations: [1, 2147483647],
  parallelism: [1, 16777215],
  memory: [8, 4294967295],
  key_length: [4, 2147483647],
  salt_length: [1, 2147483647],
};

export function readBackend(section: Section): BackendConfig {
  const reset = section.section("password_reset");
  const change = section.section("password_change");
  const file = section.optional("file");
  if (!file)
    section.error(
      "authentication_backend: you must ensure either the 'file' or 'ldap' authentication backend is configured",
    );
  const watch = file?.boolean("watch") ?? false;
  const path = file?.string("path") ?? "";
  if (file && path === "") section.error("authentication_backend: file: option 'path' is required");
  const search = file?.section("search");
  return {
    passwordResetDisabled: reset.boolean("disable"),
    passwordChangeDisabled: change.boolean("disable"),
    refresh: readRefresh(section, watch),
    path,
    watch,
    searchEmail: search?.boolean("email") ?? false,
    searchAnyCase: search?.boolean("case_insensitive") ?? false,
    argon2: readPassword(file?.section("password")),
  };
}

function readRefresh(section: Section, watch: boolean): BackendConfig["refresh"] {
  const value = section.raw("refresh_interval");
  if (value === null) return watch ? "always" : 5 * 60_000;
  if (value === "always" || value === "disable") return value;
  const parsed = typeof value === "string" || typeof value === "number" ? parseDuration(value) : undefined;
  if (parsed !== undefined) return parsed;
  section.error(
    `authentication_backend: option 'refresh_interval' is configured to '${JSON.stringify(value)}' but it must be either in ` +
      "duration common syntax or one of 'disable', or 'always'",
  );
  return "always";
}

function readPassword(section: Section | undefined): Argon2Params {
  const algorithm = section?.string("algorithm", "argon2") ?? "argon2";
  if (section && algorithm !== "argon2") {
    const known = ["sha2crypt", "pbkdf2", "scrypt", "bcrypt"].includes(algorithm);
    section.error(
      known || algorithm === "argon2id" || algorithm === "sha512"
        ? `authentication_backend: file: password: option 'algorithm' is '${algorithm}' but this stand-in knows only 'argon2'`
        : `authentication_backend: file: password: option 'algorithm' must be one of 'sha2crypt', 'pbkdf2', 'scrypt', 'bcrypt', or 'argon2' but it's configured as '${algorithm}'`,
    );
  }
  const argon2 = section?.section("argon2");
  const variant = argon2?.string("variant", "argon2id") ?? "argon2id";
  if (argon2 && variant !== "argon2id" && variant !== "id")
    argon2.error(
      `authentication_backend: file: password: argon2: option 'variant' is '${variant}' but this stand-in knows only 'argon2id'`,
    );
  const number = (key: string, fallback: number): number => {
    const value = argon2?.integer(key, fallback) ?? fallback;
    const [least, most] = argon2Limits[key] ?? [0, Number.MAX_SAFE_INTEGER];
    const words = `authentication_backend: file: password: argon2: option '${key}' is configured as '${value}' but must be`;
    if (value !== 0 && value < least) argon2?.error(`${words} greater than or equal to '${least}'`);
    if (value > most) argon2?.error(`${words} less than or equal to '${most}'`);
    return value === 0 ? fallback : value;
  };
  const params: Argon2Params = {
    iterations: number("iterations", 3),
    memory: number("memory", 65536),
    parallelism: number("parallelism", 4),
    keyLength: number("key_length", 32),
    saltLength: number("salt_length", 16),
  };
  if (params.memory < params.parallelism * 8)
    argon2?.error(
      `authentication_backend: file: password: argon2: option 'memory' is configured as '${params.memory}' but must be greater ` +
        `than or equal to '${params.parallelism * 8}' or '${params.parallelism}' (the value of 'parallelism) multiplied by '8'`,
    );
  return params;
}

export function readStorage(section: Section): GatewayConfig["storage"] {
  const encryptionKey = section.string("encryption_key");
  if (encryptionKey === "") section.error("storage: option 'encryption_key' is required");
  else if (Buffer.byteLength(encryptionKey) < 20)
    section.error("storage: option 'encryption_key' must be 20 characters or longer");
  const local = section.optional("local");
  if (!local) section.error("storage: configuration for a 'local', 'mysql' or 'postgres' database must be provided");
  const path = local?.string("path") ?? "";
  if (local && path === "") section.error("storage: local: option 'path' is required");
  return { encryptionKey, path };
}

export function readNotifier(section: Section): NotifierConfig {
  const startupCheck = !section.boolean("disable_startup_check");
  const filesystem = section.optional("filesystem");
  const smtp = section.optional("smtp");
  if (!filesystem && !smtp)
    section.error("notifier: you must ensure either the 'smtp' or 'filesystem' notifier is configured");
  if (filesystem && smtp)
    section.error("notifier: please ensure only one of the 'smtp' or 'filesystem' notifier is configured");
  const filename = filesystem?.string("filename");
  if (filename === "") section.error("notifier: filesystem: option 'filename' is required");
  return { startupCheck, filename, smtp: smtp && readSmtp(smtp) };
}

function readSmtp(section: Section): SmtpConfig {
  const written = section.string("address");
  const match = /^(?:(smtp|submissions?):\/\/)?([^:/?#@]*)(?::(\d{1,5}))?$/.exec(written);
  if (written === "") section.error("notifier: smtp: option 'address' is required");
  else if (!match)
    section.error(
      `notifier: smtp: option 'address' with value '${written}' is invalid: scheme must be one of ` +
        `${joinOr(["smtp", "submission", "submissions"])} followed by a host name and a port`,
    );
  const ports: Readonly<Record<string, number>> = { submissions: 465, submission: 587, smtp: 25 };
  const port = match?.[3] === undefined ? (ports[match?.[1] ?? "smtp"] ?? 25) : Number(match[3]);
  const sender = section.string("sender");
  if (sender === "") section.error("notifier: smtp: option 'sender' is required");
  else if (!/^(?:[^<>]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/.test(sender))
    section.error(`notifier: smtp: option 'sender' could not decode '${sender}' to a mail.Address`);
  const startTls = !section.boolean("disable_starttls");
  if (!startTls)
    section.problems.warnings.push(
      "notifier: smtp: option 'disable_starttls' is enabled: emails are sent in plaintext",
    );
  section.boolean("disable_html_emails");
  section.string("startup_check_address");
  const tls = section.section("tls");
  for (const version of ["minimum_version", "maximum_version"] as const)
    tls.oneOf(version, ["", "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"], "");
  tls.string("server_name");
  return {
    host: match?.[2] ?? "",
    port,
    implicitTls: match?.[1] === "submissions" || (match?.[1] === undefined && port === 465),
    startTls,
    requireTls: !section.boolean("disable_require_tls"),
    skipVerify: tls.boolean("skip_verify"),
    username: section.string("username"),
    password: section.string("password"),
    sender,
    subject: section.string("subject", "[Authelia] {title}"),
    identifier: section.string("identifier", "localhost"),
    timeout: section.duration("timeout", 5000),
  };
}
