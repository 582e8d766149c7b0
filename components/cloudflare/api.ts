import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const answerSchema = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown().optional(),
});

/** What Cloudflare answers to one call. */
export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  /** Whether it did what was asked. */
  readonly ok: boolean;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  readonly result: unknown;
}

/** Milliseconds. */
const timeout = 30_000;
const pauses = [1_000, 4_000, 10_000];

/**
 * One call of Cloudflare's API, which is sent again where it did not arrive or Cloudflare is too busy.
 *
 * @param path below `/client/v4`
 * @throws Error of fetch where nothing answers
 */
export async function callCloudflare(apiToken: string, method: string, path: string, body?: object): Promise<Answer> {
  // The provider reads the same variable.
  const base = process.env["CLOUDFLARE_BASE_URL"] ?? "https://api.cloudflare.com/client/v4";
  const answer = await ask(`${base.replace(/\/+$/, "")}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { data } = answerSchema.safeParse(await answer.json().catch(() => undefined));
  return {
    status: answer.status,
    ok: answer.ok && data?.success === true,
    errors: data?.errors ?? [],
    result: data?.result,
  };
}

/**
 * What Cloudflare says where a token is none, or has no right to this (https://developers.cloudflare.com/fundamentals/api/troubleshooting/).
 * What a plan does not have is another matter, whatever its status.
 */
export function isRefused({ status, errors }: Answer): boolean {
  return (status === 401 || status === 403) && !errors.some(({ message }) => /entitle/i.test(message));
}

/** Why a call got no answer. */
export function unanswered(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** What went wrong, in Cloudflare's words. */
export function saidBy({ status, errors }: Answer): string {
  const said = errors.map(({ code, message }) => `${message} (${code})`).join("; ");
  return `HTTP ${status}${said ? `, ${said}` : ""}`;
}

async function ask(url: string, options: RequestInit): Promise<Response> {
  for (const pause of [...pauses, undefined]) {
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(timeout) }).catch((error: unknown) => {
      if (pause === undefined) throw error;
      return undefined;
    });
    const busy = answer === undefined || answer.status === 429 || answer.status >= 500;
    if (answer && (!busy || pause === undefined)) return answer;
    await sleep(pause);
  }
  throw new Error("there is always an answer or an error above");
}
