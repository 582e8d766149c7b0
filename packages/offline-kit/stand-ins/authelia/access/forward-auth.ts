// Stand-in for Authelia 4.39.20: what /api/authz/forward-auth answers once it is known who asks. Pure.
import { STATUS_CODES } from "node:http";
import type { Answer } from "../http/exchange";
import type { Target, Verdict } from "./authorizer";

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

export function decide(level: 0 | 1 | 2, verdict: Verdict): Decision {
  switch (verdict.policy) {
    case "bypass":
      return "authorized";
    case "deny":
      return level > 0 || !verdict.subjectBound ? "forbidden" : "unauthorized";
    case "one_factor":
      return level >= 1 ? "authorized" : "unauthorized";
    case "two_factor":
      return level >= 2 ? "authorized" : "unauthorized";
  }
}

export function plain(status: number, headers: Answer["headers"] = {}): Answer {
  const body = `${status} ${STATUS_CODES[status] ?? ""}`;
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body };
}

export function authorizedAnswer(identity: Identity): Answer {
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

export function basicChallenge(status: number): Answer {
  const header = status === 407 ? "proxy-authenticate" : "www-authenticate";
  return plain(status, { [header]: 'Basic realm="Authorization Required"' });
}

export function unauthorizedAnswer(target: Target, client: Client, portal: string): Answer {
  const xhr = client.xRequestedWith?.toLowerCase() === "xmlhttprequest";
  const safe = ["GET", "HEAD", "OPTIONS"].includes(target.method);
  const status = xhr || !acceptsHtml(client.accept) ? 401 : safe ? 302 : 303;
  const location = redirection(target, portal);
  const link = location
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&#34;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
  if (target.method === "HEAD") return { status, headers: { location }, body: "" };
  const body = `<a href="${link}">${status} ${STATUS_CODES[status] ?? ""}</a>`;
  return { status, headers: { location, "content-type": "text/html; charset=utf-8" }, body };
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
