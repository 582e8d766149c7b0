/**
 * Run by `node bin/cloudcode-hook.cjs end-connections` before a tunnel is deleted, with {@link EndInput} as JSON on
 * standard input. Cloudflare deletes no tunnel that a cloudflared is connected to (cloudflare/terraform-provider-cloudflare#5255).
 * So the tunnel gets another secret, with which cloudflared cannot come back, and then its connections are ended:
 * https://developers.cloudflare.com/tunnel/reference/tunnel-tokens/#rotate-a-compromised-token
 */
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const inputSchema = z.object({ accountId: z.string(), tunnelId: z.string(), apiToken: z.string() });
export type EndInput = z.infer<typeof inputSchema>;

const answerSchema = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
});

/** Milliseconds. */
const timeout = 30_000;
const pauses = [1_000, 4_000, 10_000];

async function endConnections({ accountId, tunnelId, apiToken }: EndInput): Promise<string> {
  // The provider reads the same variable.
  const base = process.env["CLOUDFLARE_BASE_URL"] ?? "https://api.cloudflare.com/client/v4";
  const url = `${base.replace(/\/+$/, "")}/accounts/${accountId}/cfd_tunnel/${tunnelId}`;
  const call = async (method: string, path: string, body?: object): Promise<boolean> => {
    const answer = await ask(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.status === 404) return false;
    const read = answerSchema.safeParse(await answer.json().catch(() => undefined));
    if (answer.ok && read.data?.success === true) return true;
    const said = read.data?.errors.map(({ code, message }) => `${message} (${code})`).join("; ");
    throw new Error(
      `Cloudflare did not end the connections of tunnel ${tunnelId}: HTTP ${answer.status}${said ? `, ${said}` : ""}. ` +
        "The API token (casecheckCloudflareApiToken) must be valid, with Cloudflare Tunnel: Edit.",
    );
  };
  // At least 32 bytes: https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/subresources/cloudflared/
  const there = await call("PATCH", "", { tunnel_secret: randomBytes(32).toString("base64") });
  return there && (await call("DELETE", "/connections"))
    ? `tunnel ${tunnelId} has no connections any more`
    : `tunnel ${tunnelId} is gone already`;
}

/** Both calls may be sent again: what did not arrive, and what Cloudflare is too busy for. */
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

async function main(): Promise<void> {
  console.log(await endConnections(inputSchema.parse(JSON.parse(await text(process.stdin)))));
}

main().catch((error: unknown) => {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  console.error(`${error instanceof Error ? error.message : String(error)}${cause}`);
  process.exitCode = 1;
});
