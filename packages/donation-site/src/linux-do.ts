import * as oauth from "oauth4webapi";
import { z } from "zod";
import type { Config } from "./config";
import { ask, jsonOf, patience, UpstreamError } from "./http";
import type { Attempt, Session } from "./store";

/** The visitor may simply try again: refused at Linux Do, or a code or state that is not (any more) good. */
export class LoginRefused extends Error {
  override readonly name = "LoginRefused";
}

const visitor = z.object({
  id: z.union([
    z.number().int().positive(),
    z
      .string()
      .regex(/^[1-9]\d{0,14}$/)
      .transform(Number),
  ]),
  username: z.string(),
});

/** Linux Do Connect, an OAuth 2.0 server: authorization code with state and PKCE (which a server without it ignores). */
export class LinuxDo {
  readonly #config: Config["oauth"];
  readonly #server: oauth.AuthorizationServer;
  readonly #client: oauth.Client;

  constructor(config: Config["oauth"]) {
    this.#config = config;
    this.#server = {
      issuer: new URL(config.authUrl).origin,
      authorization_endpoint: config.authUrl,
      token_endpoint: config.tokenUrl,
    };
    this.#client = { client_id: config.clientId };
  }

  /** A new attempt and the address to send the visitor to. */
  async begin(): Promise<Attempt & { readonly url: string }> {
    const state = oauth.generateRandomState();
    const verifier = oauth.generateRandomCodeVerifier();
    const url = new URL(this.#config.authUrl);
    const query = {
      response_type: "code",
      client_id: this.#config.clientId,
      redirect_uri: this.#config.redirectUri,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    };
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return { state, verifier, url: url.href };
  }

  /**
   * @param answer the query that the visitor came back with
   * @throws LoginRefused, or UpstreamError on trouble of the server
   */
  async finish(answer: URLSearchParams, attempt: Attempt): Promise<Session> {
    const token = await this.#token(answer, attempt);
    const response = await ask("linux-do", this.#config.userUrl, {
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
    });
    const user = response.ok ? visitor.safeParse(await jsonOf("linux-do", response)) : undefined;
    if (!user?.success) throw new UpstreamError("linux-do", response.status, "no user information");
    return { linuxDo: user.data.id, username: user.data.username };
  }

  /** What the server calls itself: its origin. Linux Do Connect puts a slash behind it. */
  #issuerOf(answer: URLSearchParams): string {
    const { issuer } = this.#server;
    return answer.get("iss") === `${issuer}/` ? `${issuer}/` : issuer;
  }

  async #token(answer: URLSearchParams, attempt: Attempt): Promise<string> {
    const { clientSecret, redirectUri, tokenUrl } = this.#config;
    try {
      const server = { ...this.#server, issuer: this.#issuerOf(answer) };
      const parameters = oauth.validateAuthResponse(server, this.#client, answer, attempt.state);
      const options = {
        // Plain HTTP only where the operator has configured it.
        // eslint-disable-next-line @typescript-eslint/no-deprecated
        [oauth.allowInsecureRequests]: tokenUrl.startsWith("http:"),
        signal: AbortSignal.timeout(patience),
      };
      const secret = oauth.ClientSecretBasic(clientSecret);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        this.#client,
        secret,
        parameters,
        redirectUri,
        attempt.verifier,
        options,
      );
      const answered = await withoutIdToken(response);
      return (await oauth.processAuthorizationCodeResponse(server, this.#client, answered)).access_token;
    } catch (error) {
      const refused =
        error instanceof oauth.AuthorizationResponseError ||
        (error instanceof oauth.ResponseBodyError && error.error === "invalid_grant") ||
        (error instanceof oauth.OperationProcessingError &&
          error.code === oauth.INVALID_RESPONSE &&
          !(error.cause instanceof Response));
      if (refused) throw new LoginRefused("login refused");
      throw new UpstreamError("linux-do", undefined, "no token");
    }
  }
}

/** An OpenID provider may add an ID token that nobody asked for. Who somebody is says the user information alone. */
async function withoutIdToken(response: Response): Promise<Response> {
  const text = await response.text();
  const answer = z.looseObject({}).safeParse(jsonIn(text));
  return new Response(answer.success ? JSON.stringify({ ...answer.data, id_token: undefined }) : text, response);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
