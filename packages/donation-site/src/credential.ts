import { z } from "zod";
import { tokenHash } from "./tokens";

/** Largest auth file, in bytes. */
export const maxBytes = 64 * 1024;

const file = z.looseObject({ type: z.string(), account_id: z.string().optional() });

/** A request that a provider answers well only to a valid credential; the proxy puts the token in. */
export interface Probe {
  readonly method: "GET";
  readonly url: string;
  readonly header: Readonly<Record<string, string>>;
}

const bearer = { Authorization: "Bearer $TOKEN$", Accept: "application/json" };

/** Types of auth files that can be donated: those whose validity can be proven, and which the proxy can use. (CLIProxyAPI 7 ignores files of Gemini CLI.) */
const probes: Readonly<Record<string, (accountId: string | undefined) => Probe>> = {
  claude: () => ({
    method: "GET",
    url: "https://api.anthropic.com/api/oauth/profile",
    header: { ...bearer, "anthropic-beta": "oauth-2025-04-20" },
  }),
  codex: (accountId) => ({
    method: "GET",
    url: "https://chatgpt.com/backend-api/wham/usage",
    header: { ...bearer, ...(accountId && { "Chatgpt-Account-Id": accountId }) },
  }),
  antigravity: () => ({
    method: "GET",
    url: "https://www.googleapis.com/oauth2/v3/userinfo",
    header: bearer,
  }),
};

export const providers = Object.keys(probes);

/**
 * What the proxy gets of a donor's file. It knows more fields, such as the address of an API or of a proxy server, with which
 * a donor could read what others ask or reach into the host's network.
 */
const allowed = new Set([
  "type",
  "email",
  "account_id",
  "project_id",
  "access_token",
  "refresh_token",
  "id_token",
  "token",
  "token_type",
  "expired",
  "expiry",
  "expires_in",
  "timestamp",
  "last_refresh",
  "scope",
  "client_id",
  "client_secret",
]);

/** An auth file of the proxy, as a donor brings it. */
export interface Credential {
  readonly provider: string;
  /** The file with nothing but the fields that may be. */
  readonly text: string;
  readonly accountId: string | undefined;
  /** Hashes of the tokens in it. */
  readonly fingerprints: readonly string[];
}

/** @returns undefined for a text that is no auth file of a known type, or has no tokens */
export function readCredential(text: string): Credential | undefined {
  const parsed = file.safeParse(json(text));
  if (!parsed.success || Buffer.byteLength(text) > maxBytes || !Object.hasOwn(probes, parsed.data.type))
    return undefined;
  const kept = allowedOf(parsed.data);
  const fingerprints = tokensIn(kept).map(tokenHash);
  if (fingerprints.length === 0) return undefined;
  return {
    provider: parsed.data.type,
    text: JSON.stringify(kept),
    accountId: parsed.data.account_id,
    fingerprints: [...new Set(fingerprints)],
  };
}

export function probeOf({ provider, accountId }: Pick<Credential, "provider" | "accountId">): Probe | undefined {
  return probes[provider]?.(accountId);
}

function allowedOf(file: object): Record<string, unknown> {
  const entries = Object.entries(file).flatMap(([key, value]: [string, unknown]) => {
    if (!allowed.has(key)) return [];
    if (key === "token" && typeof value === "object" && value !== null) return [[key, allowedOf(value)]];
    return typeof value === "object" ? [] : [[key, value]];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Values of the token fields, at any depth: Google's files keep them one level down. */
function tokensIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === "string" ? (/^(access|refresh)_token$/.test(key) && inner !== "" ? [inner] : []) : tokensIn(inner),
  );
}

const account = z.looseObject({
  sub: z.string().optional(),
  user_id: z.string().optional(),
  email: z.string().optional(),
  account: z.looseObject({ uuid: z.string().optional(), email: z.string().optional() }).optional(),
});

/** Hash of the account that the provider itself names in its answer to a probe, which no editing of the file changes. */
export function accountFingerprints(provider: string, answer: string): string[] {
  const parsed = account.safeParse(json(answer));
  if (!parsed.success) return [];
  const { sub, user_id: userId, email, account: inner } = parsed.data;
  const id = inner?.uuid ?? sub ?? userId ?? inner?.email ?? email;
  return id === undefined ? [] : [tokenHash(`${provider}:${id}`)];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
