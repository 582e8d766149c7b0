// CLIProxyAPI and new-api as a round needs them: stand-ins, or the real programs where a variable names them.
import type { Config } from "../src/config";
import { random } from "./kit";
import { type NewApiServer, startNewApi } from "./new-api";
import { startProxyServer } from "./proxy-server";
import { startRealNewApi } from "./real-new-api";
import { startRealProxy } from "./real-proxy";

export interface ModelProxyPartner {
  readonly config: Config["modelProxy"];
  /** Text by name. */
  files(): Promise<ReadonlyMap<string, string>> | ReadonlyMap<string, string>;
  /** Has the provider accept that token as one of the account. */
  accept(token: string, account: string): void;
  stop(): Promise<void> | void;
}

export interface NewApiPartner {
  readonly config: Config["newApi"];
  /** @returns the number of a new user with that Linux Do account */
  addUser(linuxDo: number): Promise<number> | number;
  /** Quota that the user was ever given. */
  total(user: number): Promise<number> | number;
  /** What only the stand-in can do: refuse quota, or let requests for it wait. */
  readonly server?: NewApiServer;
  stop(): Promise<void> | void;
}

/** CLIPROXYAPI_BINARY names the real program. */
export async function startModelProxy(): Promise<ModelProxyPartner> {
  const program = process.env["CLIPROXYAPI_BINARY"];
  if (program !== undefined) return startRealProxy(program);
  const managementKey = random();
  const server = await startProxyServer(managementKey);
  return {
    config: { url: server.url, managementKey },
    files: () => server.files,
    accept: (token, account) => server.accounts.set(token, account),
    stop: () => {
      server.stop();
    },
  };
}

/** NEW_API_BINARY names the real program. */
export async function startNewApiPartner(): Promise<NewApiPartner> {
  const program = process.env["NEW_API_BINARY"];
  if (program !== undefined) return startRealNewApi(program);
  const server = await startNewApi();
  return {
    config: { baseUrl: server.url, adminToken: random(), adminUser: undefined },
    addUser: (linuxDo) => {
      server.users.set(linuxDo, { linuxDoId: String(linuxDo), quota: 0, used: 0 });
      return linuxDo;
    },
    total: (user) => server.users.get(user)?.quota ?? 0,
    server,
    stop: () => {
      server.stop();
    },
  };
}
