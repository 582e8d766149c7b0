// Stand-in for Authelia 4.39.20: what /api/authz/forward-auth answers once it is known who asks. Pure.
import { STATUS_CODES } from "node:http";
import type { Required, Target } from "./authorizer";

export interface Identity {
  readonly username: string;
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly emails: readonly string[];
}
export interface Client {
  readonly xRequestedWith: string | undefined;
  readonly accept: string | undefined;
}

export type Decision = "authorized" | "unauthorized" | "forbidden";
/** Nobody, one factor, two factors. */
export type Level = 0 | 1 | 2;

export function decide(level: Level, { policy, forSome }: Required): Decision {
  if (policy === "deny") return level === 0 && forSome ? "unauthorized" : "forbidden";
  const needed = { bypass: 0, one_factor: 1, two_factor: 2 }[policy];
  return level >= needed ? "authorized" : "unauthorized";
}

export function plain(status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const body = `${status} ${STATUS_CODES[status] ?? ""}`;
  // Bytes, so that Node leaves those of the headers alone.
  return new Response(Buffer.from(body), {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

export function authorizedAnswer(identity: Identity): Response {
  if (identity.username === "") return plain(200);
  return plain(200, {
    "remote-user": headerValue(identity.username),
    "remote-groups": headerValue(identity.groups.join(",")),
    "remote-name": headerValue(identity.displayName),
    "remote-email": headerValue(identity.emails[0] ?? ""),
  });
}

/** Node takes header text as Latin-1; the real one sends UTF-8 bytes. */
function headerValue(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function unauthorizedAnswer(target: Target, client: Client, portal: string): Response {
  const xhr = client.xRequestedWith?.toLowerCase() === "xmlhttprequest";
  const safe = ["GET", "HEAD", "OPTIONS"].includes(target.method);
  const status = xhr || !acceptsHtml(client.accept) ? 401 : safe ? 302 : 303;
  const location = redirection(target, portal);
  const link = location
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&#34;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
  if (target.method === "HEAD") return new Response(null, { status, headers: { location } });
  const body = `<a href="${link}">${status} ${STATUS_CODES[status] ?? ""}</a>`;
  return new Response(body, { status, headers: { location, "content-type": "text/html; charset=utf-8" } });
}

/** An absent Accept accepts nothing; the any-type wildcard counts only in the first place (plain curl). */
export function acceptsHtml(accept: string | undefined): boolean {
  const types = (accept ?? "").split(",").map((part) => part.split(";")[0]?.trim() ?? "");
  return types.includes("text/html") || types[0] === "*/*";
}

function redirection(target: Target, portal: string): string {
  const url = new URL(portal);
  url.searchParams.set("rd", target.url);
  if (target.method !== "") url.searchParams.set("rm", target.method);
  url.searchParams.sort();
  return url.href;
}
