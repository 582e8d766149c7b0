// HTTPS for the browser test, as Caddy gives it in the sandbox.
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Folder } from "./gateway-cases";

/** HTTPS in front of the gateway and of one page behind it. */
export async function startProxy(
  folder: Folder,
  { key, certificate }: { readonly key: string; readonly certificate: string },
): Promise<{ readonly port: number; stop(): void }> {
  const server = createServer({ key, cert: certificate }, (incoming, outgoing) => {
    const host = incoming.headers.host ?? "";
    const forwarded = { "x-forwarded-proto": "https", "x-forwarded-host": host, "x-forwarded-for": "192.0.2.9" };
    const toGateway = (
      path: string,
      method: string,
      extra: Readonly<Record<string, string>>,
    ): ReturnType<typeof request> =>
      request({
        host: "127.0.0.1",
        port: folder.port,
        path,
        method,
        headers: { ...incoming.headers, ...forwarded, ...extra },
      });
    if (host.startsWith("auth.")) {
      const call = toGateway(incoming.url ?? "/", incoming.method ?? "GET", {});
      call.on("response", (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(call);
      return;
    }
    const call = toGateway("/api/authz/forward-auth", "GET", {
      "x-forwarded-method": incoming.method ?? "",
      "x-forwarded-uri": incoming.url ?? "",
    });
    call.on("response", (answer) => {
      const welcome = answer.statusCode === 200;
      outgoing.writeHead(answer.statusCode ?? 502, welcome ? { "content-type": "text/plain" } : answer.headers);
      if (welcome) outgoing.end(`hello ${String(answer.headers["remote-user"])} at ${host}${incoming.url ?? ""}`);
      else answer.pipe(outgoing);
    });
    call.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
