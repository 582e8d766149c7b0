// Stand-in for Authelia 4.39.20: reads and checks `totp`, `webauthn`, `identity_validation`, `regulation`, `password_policy`.
import type { Section } from "./section";
import { joinOr } from "./section";
import type { GatewayConfig, PasswordPolicy, TotpConfig, WebAuthnConfig } from "./types";

const minute = 60_000;
const algorithms = ["SHA1", "SHA256", "SHA512"] as const;

export function readTotp(section: Section): TotpConfig {
  const written = section.string("algorithm", "SHA1").toUpperCase();
  const algorithm = algorithms.find((candidate) => candidate === written) ?? "SHA1";
  if (algorithm !== written)
    section.error(`totp: option 'algorithm' must be one of ${joinOr(algorithms)} but it's configured as '${written}'`);
  const digits = section.integer("digits", 6) || 6;
  const period = section.integer("period", 30) || 30;
  const secretSize = section.integer("secret_size", 32) || 32;
  const allowed = section.strings("allowed_algorithms").map((name) => name.toUpperCase());
  const lengths = section.integers("allowed_digits");
  const periods = section.integers("allowed_periods");
  for (const name of allowed)
    if (!algorithms.some((candidate) => candidate === name))
      section.error(
        `totp: option 'allowed_algorithm' must be one of ${joinOr(algorithms)} but one of the values is '${name}'`,
      );
  if (digits !== 6 && digits !== 8)
    section.error(`totp: option 'digits' must be 6 or 8 but it's configured as '${digits}'`);
  for (const length of lengths)
    if (length !== 6 && length !== 8)
      section.error(
        `totp: option 'allowed_digits' must only have the values 6 or 8 but one of the values is '${length}'`,
      );
  if (period < 15) section.error(`totp: option 'period' option must be 15 or more but it's configured as '${period}'`);
  for (const one of periods)
    if (one < 15)
      section.error(`totp: option 'allowed_periods' option must be 15 or more but one of the values is '${one}'`);
  if (secretSize < 20)
    section.error(`totp: option 'secret_size' must be 20 or higher but it's configured as '${secretSize}'`);
  return {
    disable: section.boolean("disable"),
    issuer: section.string("issuer", "Authelia"),
    algorithm,
    digits,
    period,
    skew: section.integer("skew", 1),
    secretSize,
    algorithms: [...new Set([...allowed, algorithm])],
    lengths: [...new Set([...lengths, digits])],
    periods: [...new Set([...periods, period])],
    allowReuse: section.boolean("disable_reuse_security_policy"),
  };
}

export function readWebAuthn(section: Section): WebAuthnConfig {
  const criteria = section.section("selection_criteria");
  const levels = ["", "discouraged", "preferred", "required"] as const;
  const config: WebAuthnConfig = {
    disable: section.boolean("disable"),
    passkeyLogin: section.boolean("enable_passkey_login"),
    passkeyIsTwoFactors: section.boolean("experimental_enable_passkey_uv_two_factors"),
    passkeyUpgrade: section.boolean("experimental_enable_passkey_upgrade"),
    displayName: section.string("display_name", "Authelia"),
    attestation: section.oneOf("attestation_conveyance_preference", ["none", "indirect", "direct"], "indirect"),
    timeout: section.duration("timeout", minute),
    attachment: criteria.oneOf("attachment", ["", "platform", "cross-platform"], ""),
    discoverability: criteria.oneOf("discoverability", levels, ""),
    userVerification: criteria.oneOf("user_verification", levels, ""),
  };
  const clash = (option: string, is: boolean, other: string, value: boolean): void => {
    section.error(`webauthn: option '${option}' is ${is} but it must be ${!is} when '${other}' is ${value}`);
  };
  if (config.passkeyLogin && config.disable) clash("enable_passkey_login", true, "disable", true);
  if (!config.passkeyLogin && config.passkeyIsTwoFactors)
    clash("experimental_enable_passkey_uv_two_factors", true, "enable_passkey_login", false);
  if (!config.passkeyLogin && config.passkeyUpgrade)
    clash("experimental_enable_passkey_upgrade", true, "enable_passkey_login", false);
  if (config.passkeyLogin && config.discoverability === "discouraged")
    section.problems.warnings.push(
      "webauthn: selection_criteria: option 'discoverability' should generally be configured as 'preferred' or 'required' " +
        "when passkey logins are enabled",
    );
  return config;
}

export function readIdentityValidation(section: Section, passwordResetDisabled: boolean): GatewayConfig["elevation"] {
  const reset = section.section("reset_password");
  reset.duration("jwt_lifespan", 5 * minute);
  reset.oneOf("jwt_algorithm", ["HS256", "HS384", "HS512"], "HS256");
  if (reset.string("jwt_secret") === "" && !passwordResetDisabled)
    section.error(
      "identity_validation: reset_password: option 'jwt_secret' is required when the reset password functionality isn't disabled",
    );
  const elevated = section.section("elevated_session");
  const characters = elevated.integer("characters", 8);
  if (characters > 20)
    section.error(
      `identity_validation: elevated_session: option 'characters' must be 20 or less but it's configured as ${characters}`,
    );
  return {
    codeLifespan: elevated.duration("code_lifespan", 5 * minute),
    elevationLifespan: elevated.duration("elevation_lifespan", 10 * minute),
    characters: characters <= 0 ? 8 : characters,
    requireSecondFactor: elevated.boolean("require_second_factor"),
    skipSecondFactor: elevated.boolean("skip_second_factor"),
  };
}

/** As in the real one an absent `max_retries` is 0, which switches regulation off. */
export function readRegulation(section: Section): GatewayConfig["regulation"] {
  const modes = section.strings("modes");
  for (const mode of modes)
    if (mode !== "user" && mode !== "ip")
      section.error(
        `regulation: option 'modes' must only contain the values 'user' and 'ip' but contains the value '${mode}'`,
      );
  const findTime = section.duration("find_time", 2 * minute);
  const banTime = section.duration("ban_time", 5 * minute);
  if (findTime > banTime)
    section.error("regulation: option 'find_time' must be less than or equal to option 'ban_time'");
  return {
    modes: modes.length === 0 ? ["user"] : modes,
    maxRetries: section.integer("max_retries", 0),
    findTime,
    banTime,
  };
}

export function readPasswordPolicy(section: Section): PasswordPolicy {
  const standard = section.section("standard");
  const zxcvbn = section.section("zxcvbn");
  const enabled = standard.boolean("enabled");
  if (zxcvbn.boolean("enabled"))
    section.error(
      enabled
        ? "password_policy: only a single password policy mechanism can be specified"
        : "password_policy: zxcvbn: not supported by this stand-in",
    );
  const score = zxcvbn.integer("min_score", 3);
  if (score < 0 || score > 4)
    section.error(
      `password_policy: zxcvbn: option 'min_score' is invalid: must be between 1 and 4 but it's configured as ${score}`,
    );
  const minLength = standard.integer("min_length", 8);
  if (enabled && minLength < 0)
    section.error(
      `password_policy: standard: option 'min_length' must be greater than 0 but it's configured as ${minLength}`,
    );
  return {
    enabled,
    minLength: minLength === 0 ? 8 : minLength,
    maxLength: standard.integer("max_length", 0),
    uppercase: standard.boolean("require_uppercase"),
    lowercase: standard.boolean("require_lowercase"),
    number: standard.boolean("require_number"),
    special: standard.boolean("require_special"),
  };
}
