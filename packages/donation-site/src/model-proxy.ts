import { z } from "zod";
import type { Config } from "./config";
import type { Probe } from "./credential";
import { ask, jsonOf, UpstreamError } from "./http";

const entry = z.object({
  name: z.string(),
  auth_index: z.string().optional(),
  provider: z.string().default(""),
  email: z.string().optional(),
  status: z.string().default(""),
  disabled: z.boolean().default(false),
  unavailable: z.boolean().default(false),
  size: z.number().default(0),
});
const listing = z.object({ files: z.array(entry) });
/** A request for a model, as far as it is counted. */
const used = z.array(
  z.object({ timestamp: z.coerce.date(), failed: z.boolean(), tokens: z.object({ total_tokens: z.number() }) }),
);
const called = z.object({ status_code: z.number(), body: z.string() });

export type AuthFile = z.infer<typeof entry>;
export type UsedModel = z.infer<typeof used>[number];

/** How many requests the proxy names at once. */
const usedAtOnce = 500;

/** The management API of CLIProxyAPI 7 (https://help.router-for.me/management/api.html), which the site guards. */
export class ModelProxy {
  readonly #config: Config["modelProxy"];

  constructor(config: Config["modelProxy"]) {
    this.#config = config;
  }

  async list(): Promise<AuthFile[]> {
    const parsed = listing.safeParse(await jsonOf("proxy", await this.#ask("auth-files")));
    if (!parsed.success) throw new UpstreamError("proxy", undefined, "auth files of an unknown shape");
    return parsed.data.files;
  }

  async upload(name: string, text: string): Promise<void> {
    const headers = { "content-type": "application/json" };
    await this.#ask(`auth-files?${query(name)}`, { method: "POST", headers, body: text });
  }

  async download(name: string): Promise<string> {
    return (await this.#ask(`auth-files/download?${query(name)}`)).text();
  }

  /** Absent afterwards, also when it was before. */
  async remove(name: string): Promise<void> {
    try {
      await this.#ask(`auth-files?${query(name)}`, { method: "DELETE" });
    } catch (error) {
      if (!(error instanceof UpstreamError && error.status === 404)) throw error;
    }
  }

  /** What a provider says to a request with the credential of that index; 401 also where the proxy cannot refresh its token. */
  async call(authIndex: string, probe: Probe): Promise<{ readonly status: number; readonly body: string }> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ auth_index: authIndex, ...probe });
    const response = await this.#send("api-call", { method: "POST", headers, body });
    if (response.status === 400) return { status: 401, body: "" };
    const parsed = called.safeParse(await jsonOf("proxy", good("api-call", response)));
    if (!parsed.success) throw new UpstreamError("proxy", undefined, "api-call of an unknown shape");
    return { status: parsed.data.status_code, body: parsed.data.body };
  }

  /**
   * Requests for models since the last call, at most an hour old. The proxy forgets each that it has named
   * (internal/redisqueue/queue.go of CLIProxyAPI 7).
   */
  async *takeUsed(): AsyncGenerator<readonly UsedModel[]> {
    for (let more = true; more;) {
      const parsed = used.safeParse(await jsonOf("proxy", await this.#ask(`usage-queue?count=${usedAtOnce}`)));
      if (!parsed.success) throw new UpstreamError("proxy", undefined, "usage of an unknown shape");
      more = parsed.data.length === usedAtOnce;
      yield parsed.data;
    }
  }

  /** @throws UpstreamError for every answer but a good one */
  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    return good(path.replace(/\?.*/, ""), await this.#send(path, init));
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.#config.managementKey}`);
    return ask("proxy", `${this.#config.url}/v0/management/${path}`, { ...init, headers });
  }
}

function good(what: string, response: Response): Response {
  if (!response.ok) throw new UpstreamError("proxy", response.status, `${what}: ${response.status}`);
  return response;
}

const query = (name: string) => new URLSearchParams({ name }).toString();

/** A name that stays in the proxy's folder. */
export function isFileName(name: string): boolean {
  return /^[\w@+,=-][\w@+,=. -]{0,180}\.json$/.test(name);
}
