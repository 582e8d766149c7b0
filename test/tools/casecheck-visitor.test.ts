// Who CaseCheck's API takes a visitor for: the pinned uvicorn, behind CaseCheck's own Caddy, behind the edge or as cloudflared calls it.
import { createServer, request } from "node:http";
import { enabledApps } from "../../components/apps/registry";
import { CasecheckApi } from "../support/casecheck-api";
import { CasecheckWeb } from "../support/casecheck-web";
import { tunnelToken } from "../support/least-apps";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { RenderedCaddy } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";

const domain = "home.example.com";
const open = { domain, casecheckEnabled: "true", casecheckOpen: "true" };
const tunnel = {
  domain,
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelToken: tunnelToken,
  casecheckTunnelHost: "cases.example.org",
};

/** Everything that a visitor may claim about the address and the scheme it comes by. */
const forged = {
  "x-forwarded-for": "198.51.100.9, 198.51.100.8",
  "x-real-ip": "198.51.100.9",
  "true-client-ip": "198.51.100.9",
  forwarded: "for=198.51.100.9;proto=http",
  "x-forwarded-proto": "http",
};

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly host: string;
  /** Address of this machine that the request comes from. */
  readonly from: string;
  readonly headers: Readonly<Record<string, string>>;
}

function ask({ port, path, host, from, headers }: Asked): Promise<{ location: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const all = { ...headers, host, authorization: "Bearer good" };
    request({ host: "127.0.0.1", port, path, localAddress: from, headers: all, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        resolve({ location: response.headers.location, body });
      });
    })
      .on("error", reject)
      .end();
  });
}

test("through the edge: the address that the edge saw, https, and nothing that the visitor claims", async () => {
  const api = await CasecheckApi.start(open);
  const web = await CasecheckWeb.open(open, api.address);
  const gateway = createServer((_request, response) => response.end());
  const routes = enabledApps(settingsOf(open)).flatMap((app) => app.routes);
  const gatewayPort = await listen(gateway);
  const portOf = (upstream: string) => Promise.resolve(upstream === "casecheck-web:8080" ? web.port : gatewayPort);
  const edge = await RenderedCaddy.start({ domain, routes, portOf, secrets: { "login-opencode": "Basic of-nobody" } });
  try {
    const host = `casecheck.${domain}`;
    const headers = { ...forged, "cf-connecting-ip": "198.51.100.9" };
    const asked = { port: edge.port, host, from: "127.0.0.77", headers };
    for (const path of ["/v1/visitor", "/v1/auth/login"]) {
      expect((await ask({ ...asked, path })).body).toBe(`127.0.0.77 https://${host}${path}`);
      expect((await ask({ ...asked, path: `${path}/` })).location).toBe(`https://${host}${path}`);
    }
  } finally {
    edge.stop();
    gateway.close();
    web.close();
    api.stop();
  }
});

test("through a tunnel: the address that Cloudflare saw, https, and nothing that the visitor claims", async () => {
  const api = await CasecheckApi.start(tunnel);
  const web = await CasecheckWeb.open(tunnel, api.address);
  try {
    const host = "cases.example.org";
    // Cloudflare sets the one header itself, and appends to the other what the visitor began.
    const headers = { ...forged, "cf-connecting-ip": "203.0.113.7" };
    const asked = { port: web.port, host, from: "127.0.0.1", headers };
    for (const path of ["/v1/visitor", "/v1/auth/login"]) {
      expect((await ask({ ...asked, path })).body).toBe(`203.0.113.7 https://${host}${path}`);
      expect((await ask({ ...asked, path: `${path}/` })).location).toBe(`https://${host}${path}`);
    }
  } finally {
    web.close();
    api.stop();
  }
});
