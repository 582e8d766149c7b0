// The real CLIProxyAPI, with the settings that the release gives it, and a provider that it reaches through a proxy server.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { stringify } from "yaml";
import { random } from "./kit";
import type { ModelProxyPartner } from "./partners";

const provider = "api.anthropic.com";

export async function startRealProxy(program: string): Promise<ModelProxyPartner> {
  const folder = mkdtempSync(join(tmpdir(), "cli-proxy-api-"));
  const auths = join(folder, "auths");
  mkdirSync(auths);
  const outside = await startProvider(join(folder, "authority.pem"));
  const managementKey = random();
  const port = await freePort();
  const config = {
    port,
    "auth-dir": auths,
    "api-keys": [random()],
    "ws-auth": true,
    "logging-to-file": false,
    "usage-statistics-enabled": true,
    "redis-usage-queue-retention-seconds": 3600,
    "remote-management": { "allow-remote": true, "secret-key": managementKey, "disable-control-panel": true },
    "proxy-url": outside.url,
  };
  const path = join(folder, "config.yaml");
  writeFileSync(path, stringify(config));
  const child = spawn(program, ["-config", path], {
    cwd: folder,
    env: { PATH: process.env["PATH"], WRITABLE_PATH: folder, SSL_CERT_FILE: join(folder, "authority.pem") },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  await untilHealthy(child, `${url}/healthz`);
  return {
    config: { url, managementKey },
    files: () => new Map(readdirSync(auths).map((name) => [name, readFileSync(join(auths, name), "utf8")])),
    accept: (token, account) => outside.accounts.set(token, account),
    stop: () => {
      child.kill("SIGKILL");
      outside.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Until a program that was just started answers well. @throws Error where it ends instead */
export async function untilHealthy(child: ChildProcess, url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A proxy server behind which there is nothing but one provider, who knows some tokens. @param authority where its certificate goes */
async function startProvider(authority: string) {
  const accounts = new Map<string, string>();
  const { key, certificate } = selfSigned([provider]);
  writeFileSync(authority, certificate);
  const behind = createSecureServer({ key, cert: certificate }, (request, response) => {
    const account = accounts.get(request.headers.authorization?.replace(/^Bearer /, "") ?? "");
    const known = request.url === "/api/oauth/profile" && account !== undefined;
    response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(known ? { account: { uuid: account } } : { error: "authentication_error" }));
  });
  const proxy = createServer((_request, response) => response.writeHead(502).end());
  proxy.on("connect", (request, socket) => {
    if (request.url !== `${provider}:443`) {
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      return;
    }
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    behind.emit("connection", socket);
  });
  proxy.listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    accounts,
    stop: () => {
      proxy.close();
      proxy.closeAllConnections();
      behind.close();
    },
  };
}
