// A stand-in for Linux Do Connect: an OAuth 2.0 server of one client, as strict as the standard asks.
import { createHash, randomBytes } from "node:crypto";
import { Hono } from "hono";
import { type Listening, listen } from "./listen";

export interface Person {
  readonly id: number;
  readonly username: string;
}

/** What it does instead of its duty. */
export type Fault = "none" | "token-500" | "token-html" | "wrong-client" | "user-500" | "user-shapeless";

interface Grant {
  readonly person: Person;
  readonly challenge: string;
  readonly redirectUri: string;
}

export interface OAuthServer extends Listening {
  /** Who is signed in there. */
  person: Person;
  fault: Fault;
  /** Every secret it gave out. */
  readonly secrets: string[];
  /** The address a browser is sent back to when the person at `url` allows, or denies. */
  answer(url: string, allow: boolean): string;
}

export async function startOAuthServer(
  clientId: string,
  clientSecret: string,
  hostname?: string,
): Promise<OAuthServer> {
  const codes = new Map<string, Grant>();
  const tokens = new Map<string, Person>();
  const secrets: string[] = [];
  const secret = () => {
    const text = randomBytes(24).toString("base64url");
    secrets.push(text);
    return text;
  };
  const app = new Hono();
  app.get("/authorize", (c) =>
    c.html(`<title>Connect</title><p>${server.person.username}</p>
<a id="allow" href="${escape(server.answer(c.req.url, true))}">Allow</a> <a id="deny" href="${escape(server.answer(c.req.url, false))}">Deny</a>`),
  );
  app.post("/token", async (c) => {
    if (server.fault === "token-500") return c.json({ error: "server_error" }, 500);
    if (server.fault === "token-html") return c.html("<p>busy</p>");
    const basic = Buffer.from(c.req.header("authorization")?.replace(/^Basic /, "") ?? "", "base64").toString();
    // Both parts are encoded as in a form (RFC 6749, 2.3.1).
    const decoded = (part: string) => decodeURIComponent(part.replaceAll("+", " "));
    const known = basic.split(":").map(decoded).join("\n") === `${clientId}\n${clientSecret}`;
    if (server.fault === "wrong-client" || !known) return c.json({ error: "invalid_client" }, 401);
    const form = new URLSearchParams(await c.req.text());
    const code = form.get("code") ?? "";
    const grant = codes.get(code);
    codes.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (grant?.challenge !== challenge || grant.redirectUri !== form.get("redirect_uri"))
      return c.json({ error: "invalid_grant" }, 400);
    const token = secret();
    tokens.set(token, grant.person);
    return c.json({ access_token: token, token_type: "Bearer", refresh_token: secret(), expires_in: 3600 });
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
    secrets,
    answer(url, allow) {
      const asked = new URL(url).searchParams;
      const back = new URL(asked.get("redirect_uri") ?? "");
      back.searchParams.set("state", asked.get("state") ?? "");
      if (allow) {
        const code = secret();
        const challenge = asked.get("code_challenge") ?? "";
        codes.set(code, { person: server.person, challenge, redirectUri: asked.get("redirect_uri") ?? "" });
        back.searchParams.set("code", code);
      } else {
        back.searchParams.set("error", "access_denied");
      }
      return back.href;
    },
  };
  return server;
}

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
