import { spawn } from "node:child_process";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { projectRoot } from "../support/project-root";

const accountId = "0123456789abcdef0123456789abcdef";
const tunnelId = "6ff42ae2-765d-4adf-8112-31c55c1551ef";
const apiToken = "cloudflare-api-token-of-mine";

/** Cloudflare's API of one tunnel, as strict as the real one, with a cloudflared that dials again when it is cut off. */
class Account {
  connections = 4;
  secret = "the first secret";
  there = true;
  /** Answers of trouble that come before the others. */
  trouble: { readonly status: number; readonly body: string }[] = [];
  readonly asked: string[] = [];
  #dialled = "the first secret";
  #server: Server | undefined;
  #url = "";

  async open(): Promise<void> {
    this.#server = createServer((asked, answer) => void this.#answer(asked, answer));
    this.#url = `http://127.0.0.1:${await listen(this.#server)}/client/v4`;
  }

  close(): void {
    this.#server?.close();
  }

  /** Runs the real script, as Pulumi does. */
  async end(): Promise<{ readonly code: number | null; readonly said: string; readonly failed: string }> {
    const args = ["--import", "tsx", "components/cloudflare/end-connections.ts"];
    const env = { ...process.env, CLOUDFLARE_BASE_URL: this.#url };
    const child = spawn("node", args, { cwd: projectRoot, env });
    child.stdin.end(JSON.stringify({ accountId, tunnelId, apiToken }));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const [said, failed, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, said: said.trim(), failed: failed.trim() };
  }

  /** What the provider's delete calls next. @returns its error, if Cloudflare refuses it */
  async delete(): Promise<string | undefined> {
    const url = `${this.#url}/accounts/${accountId}/cfd_tunnel/${tunnelId}`;
    const answer = await fetch(url, { method: "DELETE", headers: { authorization: `Bearer ${apiToken}` } });
    return answer.ok ? undefined : answer.text();
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await text(asked);
    const path = (asked.url ?? "").replace(`/client/v4/accounts/${accountId}/cfd_tunnel/${tunnelId}`, "");
    const call = `${asked.method ?? ""} ${path}`.trim();
    this.asked.push(call);
    const say = (status: number, errors: readonly object[] = []) =>
      answer
        .writeHead(status, { "content-type": "application/json" })
        .end(JSON.stringify({ success: errors.length === 0, errors, messages: [], result: null }));
    const trouble = this.trouble.shift();
    if (trouble) answer.writeHead(trouble.status).end(trouble.body);
    else if (asked.headers.authorization !== `Bearer ${apiToken}`)
      say(403, [{ code: 10000, message: "Authentication error" }]);
    else if (!this.there) say(404, [{ code: 1003, message: "Tunnel not found" }]);
    else if (call === "PATCH") {
      const { tunnel_secret: secret = "" } = JSON.parse(body) as { tunnel_secret?: string };
      if (Buffer.from(secret, "base64").length < 32) say(400, [{ code: 1001, message: "secret is too short" }]);
      else {
        this.secret = secret;
        say(200);
      }
    } else if (call === "DELETE /connections") {
      // Who still has the right secret is back at once.
      this.connections = this.#dialled === this.secret ? 4 : 0;
      say(200);
    } else if (call === "DELETE") {
      if (this.connections > 0)
        say(400, [{ code: 1022, message: "Cannot delete tunnel because it has active connections" }]);
      else {
        this.there = false;
        say(200);
      }
    } else say(405);
  }
}

let account: Account;
beforeEach(async () => {
  account = new Account();
  await account.open();
});
afterEach(() => {
  account.close();
});

it("a tunnel that cloudflared is connected to cannot be deleted; after the script it can", async () => {
  expect(await account.delete()).toContain("1022");
  expect(await account.end()).toEqual({
    code: 0,
    said: `tunnel ${tunnelId} has no connections any more`,
    failed: "",
  });
  expect(account.asked).toEqual(["DELETE", "PATCH", "DELETE /connections"]);
  expect(await account.delete()).toBeUndefined();
});

it("a tunnel that is gone is no error", async () => {
  account.there = false;
  expect(await account.end()).toMatchObject({ code: 0, said: `tunnel ${tunnelId} is gone already` });
});

it("what Cloudflare is too busy for is asked again", async () => {
  account.trouble = [{ status: 503, body: "<html>busy</html>" }];
  expect((await account.end()).code).toBe(0);
  expect(account.asked).toEqual(["PATCH", "PATCH", "DELETE /connections"]);
  expect(account.connections).toBe(0);
});

it("a refused token fails with Cloudflare's words and the setting, and shows no token", async () => {
  account.trouble = [
    { status: 403, body: '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}' },
  ];
  const { code, said, failed } = await account.end();
  expect({ code, said, failed }).toEqual({
    code: 1,
    said: "",
    failed: `Cloudflare did not end the connections of tunnel ${tunnelId}: HTTP 403, Authentication error (10000). The API token (casecheckCloudflareApiToken) must be valid, with Cloudflare Tunnel: Edit.`,
  });
  expect(failed).not.toContain(apiToken);
});
