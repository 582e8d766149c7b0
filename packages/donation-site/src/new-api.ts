import { z } from "zod";
import type { Config } from "./config";
import { ask, jsonOf, UpstreamError } from "./http";

const envelope = z.object({ success: z.boolean(), message: z.string().default(""), data: z.unknown().optional() });
const user = z.object({
  id: z.number().int(),
  linux_do_id: z.string().default(""),
  quota: z.number(),
  used_quota: z.number().default(0),
});

export interface NewApiUser {
  readonly id: number;
  readonly linuxDoId: string;
  /** Quota ever given: what is left and what was used. Use moves quota from one to the other and leaves this as it is. */
  readonly total: number;
}

/** The API for administrators of a new-api server (https://github.com/QuantumNous/new-api). */
export class NewApi {
  readonly #config: Config["newApi"];

  constructor(config: Config["newApi"]) {
    this.#config = config;
  }

  /** @returns undefined where there is no such user. @throws UpstreamError */
  async user(id: number): Promise<NewApiUser | undefined> {
    const response = await this.#ask(`/api/user/${id}`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new UpstreamError("new-api", response.status, `user: ${response.status}`);
    const answer = envelope.safeParse(await jsonOf("new-api", response));
    // It says no to everything that goes wrong, such as a database that is busy; this is what it says where there is no such user.
    if (answer.data?.success === false && answer.data.message === "record not found") return undefined;
    const found = user.safeParse(answer.data?.data);
    if (!found.success) throw new UpstreamError("new-api", response.status, "user of an unknown shape");
    const { linux_do_id: linuxDoId, quota, used_quota: used } = found.data;
    return { id: found.data.id, linuxDoId, total: quota + used };
  }

  /**
   * Adds quota. new-api knows no idempotency keys; the header is for a server in front of it that does.
   *
   * @throws UpstreamError with a status below 500 where it surely did not; otherwise nobody knows
   */
  async addQuota(id: number, amount: number, key: string): Promise<void> {
    const response = await this.#ask("/api/user/manage", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify({ id, action: "add_quota", mode: "add", value: amount }),
    });
    if (!response.ok) throw new UpstreamError("new-api", response.status, `add_quota: ${response.status}`);
    const answer = envelope.safeParse(await jsonOf("new-api", response));
    if (!answer.success) throw new UpstreamError("new-api", undefined, "add_quota: answer of an unknown shape");
    if (!answer.data.success) throw new UpstreamError("new-api", 400, "add_quota: refused");
  }

  #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { baseUrl, adminToken, adminUser } = this.#config;
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${adminToken}`);
    if (adminUser !== undefined) headers.set("new-api-user", adminUser);
    return ask("new-api", baseUrl + path, { ...init, headers });
  }
}

/** Whether a new-api user belongs to a login: the same id, letter for letter, and none is not one. */
export function belongsTo(linuxDo: number, { linuxDoId }: Pick<NewApiUser, "linuxDoId">): boolean {
  return linuxDoId === String(linuxDo);
}
