// The real new-api on a database of its own, set up as its first page does.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { z } from "zod";
import { random } from "./kit";
import type { NewApiPartner } from "./partners";
import { untilHealthy } from "./real-proxy";

const answer = z.object({ success: z.literal(true), data: z.unknown().optional() });
const signedIn = z.object({ access_token: z.string() });
const found = z.object({ items: z.tuple([z.object({ id: z.int() })]) });
const user = z.object({ quota: z.number(), used_quota: z.number() });

export async function startRealNewApi(program: string): Promise<NewApiPartner> {
  const folder = mkdtempSync(join(tmpdir(), "new-api-"));
  const database = join(folder, "new-api.db");
  const port = await freePort();
  const child = spawn(program, ["--log-dir", folder], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      SQLITE_PATH: `${database}?_busy_timeout=30000`,
      SESSION_SECRET: random(),
      CRYPTO_SECRET: random(),
      // Rounds are many, and all from one address.
      GLOBAL_API_RATE_LIMIT_ENABLE: "false",
      CRITICAL_RATE_LIMIT_ENABLE: "false",
    },
    stdio: "ignore",
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  await untilHealthy(child, `${baseUrl}/api/status`);
  const ask = async (path: string, token = "", body?: object): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(baseUrl + path, {
      headers,
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    return answer.parse(await response.json()).data;
  };
  const root = { username: "root", password: random() };
  await ask("/api/setup", "", { ...root, confirmPassword: root.password });
  const session = signedIn.parse(await ask("/api/user/login", "", root)).access_token;
  const adminToken = z.string().parse(await ask("/api/user/token", session));
  return {
    config: { baseUrl, adminToken, adminUser: undefined },
    addUser: async (linuxDo) => {
      const username = `user${linuxDo}`;
      await ask("/api/user/", adminToken, { username, password: random().slice(0, 20) });
      const { items } = found.parse(await ask(`/api/user/search?keyword=${username}`, adminToken));
      const [{ id }] = items;
      // What a visit to new-api by the login of Linux Do would write.
      const db = new Database(database);
      db.exec("pragma busy_timeout = 30000");
      db.prepare("update users set linux_do_id = ? where id = ?").run(String(linuxDo), id);
      db.close();
      return id;
    },
    total: async (id) => {
      const { quota, used_quota: used } = user.parse(await ask(`/api/user/${id}`, adminToken));
      return quota + used;
    },
    stop: () => {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    },
  };
}
