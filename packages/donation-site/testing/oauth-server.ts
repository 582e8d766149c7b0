// A stand-in for Linux Do Connect: an OAuth 2.0 server of one client that refuses whatever the standards let it refuse (RFC 6749, 7636,
// 9700). What is public about Linux Do asks for less; see docs/testing.md.
import { createHash, randomBytes } from "node:crypto";
import { Hono } from "hono";
import { type Listening, listen } from "./listen";

export interface Person {
  readonly id: number;
  readonly username: string;
}

/** What it does instead of its duty. */
export type Fault = "none" | "token-500" | "token-html" | "wrong-client" | "user-500" | "user-shapeless";

export interface Client {
  readonly id: string;
  readonly secret: string;
  /** The only address that a visitor is sent back to. */
  readonly redirectUri: () => string;
}

interface Grant {
  readonly person: Person;
  readonly challenge: string;
  readonly until: number;
  /** The access token that it was exchanged for. */
  token?: string;
}

export interface OAuthServer extends Listening {
  /** Who is signed in there. */
  person: Person;
  fault: Fault;
  /** Names itself in its answers and adds an ID token, as an OpenID provider may. */
  openId: boolean;
  /** How many milliseconds its clock is ahead. */
  ahead: number;
  /** Every secret it gave out. */
  readonly secrets: string[];
  /** The address a browser is sent back to when the person at `url` allows, or denies. @throws Error where the request is refused */
  answer(url: string, allow: boolean): string;
}

/** How long a code is good for. */
const codeLife = 60_000;

/** @param hostname where it listens */
export async function startOAuthServer(client: Client, hostname?: string): Promise<OAuthServer> {
  const codes = new Map<string, Grant>();
  const tokens = new Map<string, Person>();
  const states = new Set<string>();
  const secrets: string[] = [];
  const now = () => Date.now() + server.ahead;
  const secret = () => {
    const text = randomBytes(24).toString("base64url");
    secrets.push(text);
    return text;
  };
  /** Why a request to sign somebody in is refused; such a browser is sent nowhere. */
  const faultOf = (asked: URLSearchParams): string | undefined => {
    const one = (name: string) => (asked.getAll(name).length === 1 ? (asked.get(name) ?? "") : "");
    if (one("client_id") !== client.id) return "unknown client";
    if (one("redirect_uri") !== client.redirectUri()) return "redirect_uri is not the registered one";
    if (one("response_type") !== "code") return "response_type is not code";
    if (one("state").length < 16) return "no state, or a short one";
    if (states.has(one("state"))) return "state was used before";
    if (one("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(one("code_challenge"))) return "no PKCE by S256";
    return undefined;
  };

  const app = new Hono();
  app.get("/authorize", (c) => {
    const asked = new URL(c.req.url).searchParams;
    const fault = faultOf(asked);
    if (fault !== undefined) return c.text(fault, 400);
    const decide = (name: string) => {
      const query = new URLSearchParams([...asked, ["allow", String(name === "allow")]]);
      return `<a id="${name}" href="/decide?${escape(query.toString())}">${name}</a>`;
    };
    return c.html(`<title>Connect</title><p>${server.person.username}</p>${decide("allow")} ${decide("deny")}`);
  });
  app.get("/decide", (c) => {
    try {
      return c.redirect(server.answer(c.req.url, c.req.query("allow") === "true"));
    } catch (error) {
      return c.text(String(error), 400);
    }
  });
  app.post("/token", async (c) => {
    if (server.fault === "token-500") return c.json({ error: "server_error" }, 500);
    if (server.fault === "token-html") return c.html("<p>busy</p>");
    const basic = Buffer.from(c.req.header("authorization")?.replace(/^Basic /, "") ?? "", "base64").toString();
    // Both parts are encoded as in a form (RFC 6749, 2.3.1).
    const decoded = (part: string) => decodeURIComponent(part.replaceAll("+", " "));
    const known = basic.split(":").map(decoded).join("\n") === `${client.id}\n${client.secret}`;
    if (server.fault === "wrong-client" || !known) return c.json({ error: "invalid_client" }, 401);
    const form = new URLSearchParams(await c.req.text());
    if (form.get("grant_type") !== "authorization_code") return c.json({ error: "unsupported_grant_type" }, 400);
    const grant = codes.get(form.get("code") ?? "");
    // A code that comes again was stolen: what it was exchanged for ends, too (RFC 6749, 4.1.2).
    if (grant?.token !== undefined) tokens.delete(grant.token);
    const verifier = form.get("code_verifier") ?? "";
    const proven =
      /^[\w.~-]{43,128}$/.test(verifier) &&
      grant?.challenge === createHash("sha256").update(verifier).digest("base64url");
    if (!grant || grant.token !== undefined || !proven || grant.until < now())
      return c.json({ error: "invalid_grant" }, 400);
    if (form.get("redirect_uri") !== client.redirectUri()) return c.json({ error: "invalid_grant" }, 400);
    grant.token = secret();
    tokens.set(grant.token, grant.person);
    const idToken = server.openId && { id_token: unsigned({ iss: `${server.url}/`, aud: client.id }) };
    return c.json({
      access_token: grant.token,
      token_type: "Bearer",
      refresh_token: secret(),
      expires_in: 3600,
      ...idToken,
    });
  });
  app.get("/user", (c) => {
    if (server.fault === "user-500") return c.text("no", 500);
    const person = tokens.get(c.req.header("authorization")?.replace(/^Bearer /, "") ?? "");
    if (person === undefined) return c.json({ error: "invalid_token" }, 401);
    return c.json(server.fault === "user-shapeless" ? { name: "x" } : { ...person, trust_level: 2, active: true });
  });
  const server: OAuthServer = {
    ...(await listen(app, hostname)),
    person: { id: 1, username: "ada" },
    fault: "none",
    openId: false,
    ahead: 0,
    secrets,
    answer(url, allow) {
      const asked = new URL(url).searchParams;
      const fault = faultOf(asked);
      if (fault !== undefined) throw new Error(fault);
      const state = asked.get("state") ?? "";
      states.add(state);
      const back = new URL(client.redirectUri());
      back.searchParams.set("state", state);
      if (server.openId) back.searchParams.set("iss", `${server.url}/`);
      if (allow) {
        const code = secret();
        const challenge = asked.get("code_challenge") ?? "";
        codes.set(code, { person: server.person, challenge, until: now() + codeLife });
        back.searchParams.set("code", code);
      } else {
        back.searchParams.set("error", "access_denied");
      }
      return back.href;
    },
  };
  return server;
}

/** A token that says something and that nobody signed. */
function unsigned(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
