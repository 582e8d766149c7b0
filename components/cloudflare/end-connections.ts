/**
 * Run by `node bin/cloudcode-hook.cjs end-connections` before a tunnel is deleted, with {@link EndInput} as JSON on
 * standard input. Cloudflare deletes no tunnel that a cloudflared is connected to (cloudflare/terraform-provider-cloudflare#5255).
 * So the tunnel gets another secret, with which cloudflared cannot come back, and then its connections are ended:
 * https://developers.cloudflare.com/tunnel/reference/tunnel-tokens/#rotate-a-compromised-token
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { callCloudflare, saidBy } from "./api";
import { runScript } from "./script";

const inputSchema = z.object({ accountId: z.string(), tunnelId: z.string(), apiToken: z.string() });
export type EndInput = z.infer<typeof inputSchema>;

async function endConnections({ accountId, tunnelId, apiToken }: EndInput): Promise<string> {
  const call = async (method: string, path: string, body?: object): Promise<boolean> => {
    const tunnel = `/accounts/${accountId}/cfd_tunnel/${tunnelId}`;
    const answer = await callCloudflare(apiToken, method, `${tunnel}${path}`, body);
    if (answer.status === 404) return false;
    if (answer.ok) return true;
    throw new Error(
      `Cloudflare did not end the connections of tunnel ${tunnelId}: ${saidBy(answer)}. ` +
        "The API token (casecheckCloudflareApiToken) must be valid, with Cloudflare Tunnel: Edit.",
    );
  };
  // At least 32 bytes: https://developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels/subresources/cloudflared/
  const there = await call("PATCH", "", { tunnel_secret: randomBytes(32).toString("base64") });
  return there && (await call("DELETE", "/connections"))
    ? `tunnel ${tunnelId} has no connections any more`
    : `tunnel ${tunnelId} is gone already`;
}

void runScript(inputSchema, endConnections);
