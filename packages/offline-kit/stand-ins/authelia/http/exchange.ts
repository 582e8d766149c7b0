// Stand-in for Authelia 4.39.20: one request in, one answer out.
import type { IncomingHttpHeaders } from "node:http";

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly ip: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

export const messages = {
  operation: "Operation failed.",
  credentials: "Authentication failed. Check your credentials.",
  secondFactor: "Authentication failed, please retry later.",
  totpRegister: "Unable to set up one-time password.",
  totpDelete: "Unable to delete one-time password.",
  webauthnRegister: "Unable to register your security key.",
  webauthnDuplicate: "Another one of your security keys is already registered with that display name.",
  passwordChange: "Unable to change your password.",
  passwordIncorrect: "Incorrect Password",
  passwordWeak: "Your supplied password does not meet the password policy requirements.",
} as const;

function json(status: number, value: unknown): Answer {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) };
}

export function ok(data?: unknown, status = 200): Answer {
  return json(status, data === undefined ? { status: "OK" } : { status: "OK", data });
}

export function refused(status: number, message: string): Answer {
  return json(status, { status: "KO", message });
}

export function elevationNeeded(missing: {
  firstFactor?: boolean;
  secondFactor?: boolean;
  elevation?: boolean;
}): Answer {
  const { firstFactor = false, secondFactor = false, elevation = false } = missing;
  return json(403, { status: "KO", data: { elevation, first_factor: firstFactor, second_factor: secondFactor } });
}

export function header(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The object of a JSON body, or undefined. */
export function bodyOf(exchange: Exchange): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(exchange.body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export function text(body: Readonly<Record<string, unknown>>, key: string): string {
  const value = body[key];
  return typeof value === "string" ? value : "";
}

/** The address the browser knows this server by, out of X-Forwarded-*. */
export function originOf(exchange: Exchange): {
  readonly proto: string;
  readonly host: string;
  readonly hostname: string;
} {
  const proto = header(exchange, "x-forwarded-proto") ?? "http";
  const host = header(exchange, "x-forwarded-host") ?? header(exchange, "host") ?? "";
  return { proto, host, hostname: host.replace(/:\d*$/, "").replace(/^\[|\]$/g, "") };
}
