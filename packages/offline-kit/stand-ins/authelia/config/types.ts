// Stand-in for Authelia 4.39.20: the validated configuration. All durations are milliseconds.
import type { AccessControl } from "../access/authorizer";

export interface AuthnStrategy {
  readonly name: "HeaderAuthorization" | "HeaderProxyAuthorization" | "CookieSession";
  readonly schemes: readonly string[];
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Without the trailing slash; empty at the root. */
  readonly basePath: string;
  readonly readBuffer: number;
  readonly readTimeout: number;
  readonly idleTimeout: number;
  readonly authz: ReadonlyMap<string, readonly AuthnStrategy[]>;
}

export interface LogConfig {
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly format: "text" | "json";
  readonly filePath: string;
  readonly keepStdout: boolean;
}

export interface TotpConfig {
  readonly disable: boolean;
  readonly issuer: string;
  readonly algorithm: TotpAlgorithm;
  readonly digits: number;
  readonly period: number;
  readonly skew: number;
  readonly secretSize: number;
  readonly algorithms: readonly string[];
  readonly lengths: readonly number[];
  readonly periods: readonly number[];
  readonly allowReuse: boolean;
}
export type TotpAlgorithm = "SHA1" | "SHA256" | "SHA512";

export interface WebAuthnConfig {
  readonly disable: boolean;
  readonly passkeyLogin: boolean;
  readonly passkeyIsTwoFactors: boolean;
  readonly passkeyUpgrade: boolean;
  readonly displayName: string;
  readonly attestation: "none" | "indirect" | "direct";
  readonly timeout: number;
  readonly attachment: "" | "platform" | "cross-platform";
  readonly discoverability: "" | "discouraged" | "preferred" | "required";
  readonly userVerification: "" | "discouraged" | "preferred" | "required";
}

export interface Argon2Params {
  readonly iterations: number;
  readonly memory: number;
  readonly parallelism: number;
  readonly keyLength: number;
  readonly saltLength: number;
}

export interface BackendConfig {
  readonly passwordResetDisabled: boolean;
  readonly passwordChangeDisabled: boolean;
  readonly refresh: number | "always" | "disable";
  readonly path: string;
  readonly watch: boolean;
  readonly searchEmail: boolean;
  readonly searchAnyCase: boolean;
  readonly argon2: Argon2Params;
}

export interface CookieConfig {
  readonly name: string;
  readonly domain: string;
  readonly autheliaUrl: string;
  readonly defaultRedirectionUrl: string | undefined;
  readonly sameSite: "none" | "lax" | "strict";
  readonly inactivity: number;
  readonly expiration: number;
  readonly rememberMe: number | undefined;
}

export interface RedisConfig {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly databaseIndex: number;
  readonly timeout: number;
}

export interface SmtpConfig {
  readonly host: string;
  readonly port: number;
  readonly implicitTls: boolean;
  readonly startTls: boolean;
  readonly requireTls: boolean;
  readonly skipVerify: boolean;
  readonly username: string;
  readonly password: string;
  readonly sender: string;
  readonly subject: string;
  readonly identifier: string;
  readonly timeout: number;
}

export interface NotifierConfig {
  readonly startupCheck: boolean;
  readonly filename: string | undefined;
  readonly smtp: SmtpConfig | undefined;
}

export interface PasswordPolicy {
  readonly enabled: boolean;
  readonly minLength: number;
  readonly maxLength: number;
  readonly uppercase: boolean;
  readonly lowercase: boolean;
  readonly number: boolean;
  readonly special: boolean;
}

export interface GatewayConfig {
  readonly theme: string;
  readonly defaultMethod: "" | "totp" | "webauthn";
  readonly server: ServerConfig;
  readonly log: LogConfig;
  readonly totp: TotpConfig;
  readonly webauthn: WebAuthnConfig;
  readonly backend: BackendConfig;
  readonly accessControl: AccessControl;
  readonly session: {
    readonly secret: string;
    readonly cookies: readonly CookieConfig[];
    readonly redis: RedisConfig | undefined;
  };
  readonly regulation: {
    readonly modes: readonly string[];
    readonly maxRetries: number;
    readonly findTime: number;
    readonly banTime: number;
  };
  readonly storage: { readonly encryptionKey: string; readonly path: string };
  readonly notifier: NotifierConfig;
  readonly elevation: {
    readonly codeLifespan: number;
    readonly elevationLifespan: number;
    readonly characters: number;
    readonly requireSecondFactor: boolean;
    readonly skipSecondFactor: boolean;
  };
  readonly passwordPolicy: PasswordPolicy;
}
