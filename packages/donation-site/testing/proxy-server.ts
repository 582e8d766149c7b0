// A stand-in for CLIProxyAPI 7 whose files and fate the tests hold in hand.
import { Hono } from "hono";
import { type UsedModel, managementApi } from "@cloudcode/offline-kit/stand-ins/cli-proxy-api/management";
import { type Listening, listen } from "./listen";

export interface ProxyServer extends Listening {
  /** Text by name. */
  readonly files: Map<string, string>;
  /** The account behind each token that providers accept. */
  readonly accounts: Map<string, string>;
  /** Requests for models that nobody asked about yet. */
  readonly used: UsedModel[];
  /** Path and query of each request, as a server logs them. */
  readonly urls: string[];
  /** Answers 503 to everything, or an error only to uploads or to calls of a provider. */
  fault: "none" | "all" | "uploads" | "calls";
}

export async function startProxyServer(managementKey: string): Promise<ProxyServer> {
  const files = new Map<string, string>();
  const accounts = new Map<string, string>();
  const used: UsedModel[] = [];
  const management = managementApi({
    key: managementKey,
    files,
    used,
    accountOf: (token) => accounts.get(token),
    fault: () => server.fault,
  });
  const urls: string[] = [];
  const app = new Hono();
  app.use((c, next) => {
    urls.push(c.req.url);
    return next();
  });
  app.route("/v0/management", management);
  const server: ProxyServer = { ...(await listen(app)), files, accounts, used, urls, fault: "none" };
  return server;
}
