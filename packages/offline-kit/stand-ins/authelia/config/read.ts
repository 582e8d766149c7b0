// Stand-in for Authelia 4.39.20: a configuration tree in, the validated configuration and every problem out. Pure.
import { readAccessControl } from "./access-control";
import { readBackend, readNotifier, readStorage } from "./backend";
import { readIdentityValidation, readPasswordPolicy, readRegulation, readTotp, readWebAuthn } from "./factors";
import type { Problems, Tree } from "./section";
import { Section } from "./section";
import { readLog, readNtp, readServer, readTelemetry } from "./server";
import { readSession } from "./session";
import type { GatewayConfig } from "./types";

/** Old names. The real one maps most of them with a warning; a rendered configuration must not use them at all. */
const replaced: Readonly<Record<string, string>> = {
  host: "server.address",
  port: "server.address",
  jwt_secret: "identity_validation.reset_password.jwt_secret",
  default_redirection_url: "session.cookies[].default_redirection_url",
  log_level: "log.level",
  log_format: "log.format",
  log_file_path: "log.file_path",
  tls_key: "server.tls.key",
  tls_cert: "server.tls.certificate",
  "server.host": "server.address",
  "server.port": "server.address",
  "server.path": "server.address",
  "server.read_buffer_size": "server.buffers.read",
  "server.write_buffer_size": "server.buffers.write",
  "server.enable_pprof": "server.endpoints.enable_pprof",
  "server.enable_expvars": "server.endpoints.enable_expvars",
  "session.domain": "session.cookies[].domain",
  "session.remember_me_duration": "session.remember_me",
  "authentication_backend.disable_reset_password": "authentication_backend.password_reset.disable",
  "authentication_backend.file.password.iterations": "authentication_backend.file.password.argon2.iterations",
  "authentication_backend.file.password.memory": "authentication_backend.file.password.argon2.memory",
  "authentication_backend.file.password.parallelism": "authentication_backend.file.password.argon2.parallelism",
  "authentication_backend.file.password.key_length": "authentication_backend.file.password.argon2.key_length",
  "authentication_backend.file.password.salt_length": "authentication_backend.file.password.argon2.salt_length",
  "notifier.smtp.host": "notifier.smtp.address",
  "notifier.smtp.port": "notifier.smtp.address",
  "notifier.smtp.disable_verify_cert": "notifier.smtp.tls.skip_verify",
  "webauthn.user_verification": "webauthn.selection_criteria.user_verification",
};

/** Known to the real one, unknown here: refused by name rather than ignored. */
const unsupported = [
  "access_control.networks",
  "authentication_backend.file.extra_attributes",
  "authentication_backend.file.password.bcrypt",
  "authentication_backend.file.password.pbkdf2",
  "authentication_backend.file.password.scrypt",
  "authentication_backend.file.password.sha2crypt",
  "authentication_backend.ldap",
  "authentication_backend.password_reset.custom_url",
  "certificates_directory",
  "definitions",
  "duo_api",
  "identity_providers",
  "notifier.smtp.tls.certificate_chain",
  "notifier.smtp.tls.private_key",
  "notifier.template_path",
  "privacy_policy",
  "server.asset_path",
  "server.endpoints.rate_limits",
  "server.headers",
  "server.tls",
  "session.redis.high_availability",
  "session.redis.tls",
  "storage.mysql",
  "storage.postgres",
  "webauthn.filtering",
  "webauthn.metadata",
];

export function readConfig(tree: Tree): { readonly config: GatewayConfig; readonly problems: Problems } {
  const problems: Problems = { errors: [], warnings: [] };
  const root = new Section(tree, "", problems);
  const backend = readBackend(root.section("authentication_backend"));
  const defaultMethod = root.string("default_2fa_method");
  const config: GatewayConfig = {
    theme: readTheme(root),
    defaultMethod: defaultMethod === "totp" || defaultMethod === "webauthn" ? defaultMethod : "",
    server: readServer(root.section("server")),
    log: readLog(root.section("log")),
    totp: readTotp(root.section("totp")),
    webauthn: readWebAuthn(root.section("webauthn")),
    backend,
    accessControl: readAccessControl(root.section("access_control")),
    session: readSession(root.section("session")),
    regulation: readRegulation(root.section("regulation")),
    storage: readStorage(root.section("storage")),
    notifier: readNotifier(root.section("notifier")),
    elevation: readIdentityValidation(root.section("identity_validation"), backend.passwordResetDisabled),
    passwordPolicy: readPasswordPolicy(root.section("password_policy")),
  };
  readTelemetry(root.section("telemetry"));
  readNtp(root.section("ntp"));
  checkDefaultMethod(defaultMethod, config, problems);
  problems.errors.push(...root.unknownKeys().map(explainUnknown));
  return { config, problems };
}

function readTheme(root: Section): string {
  const themes = ["light", "dark", "grey", "oled", "auto"];
  return root.oneOf("theme", themes, "light");
}

function checkDefaultMethod(written: string, config: GatewayConfig, problems: Problems): void {
  if (written === "") return;
  const enabled = [...(config.totp.disable ? [] : ["totp"]), ...(config.webauthn.disable ? [] : ["webauthn"])];
  if (!["totp", "webauthn", "mobile_push"].includes(written))
    problems.errors.push(
      `option 'default_2fa_method' must be one of 'totp', 'webauthn', or 'mobile_push' but it's configured as '${written}'`,
    );
  else if (!enabled.includes(written))
    problems.errors.push(
      `option 'default_2fa_method' must be one of the enabled options ${enabled.map((name) => `'${name}'`).join(", ")} but it's configured as '${written}'`,
    );
}

function explainUnknown(path: string): string {
  const key = path.replaceAll(/\[\d+\]/g, "[]");
  const successor = replaced[key];
  if (successor !== undefined) return `invalid configuration key '${path}' was replaced by '${successor}'`;
  if (unsupported.some((prefix) => key === prefix || key.startsWith(`${prefix}.`)))
    return `configuration key not supported by this stand-in: ${path}`;
  return `configuration key not expected: ${path}`;
}
