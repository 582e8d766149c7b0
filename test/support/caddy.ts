import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caddy, caddyHome } from "./tools";

export interface Handler {
  readonly handler: string;
  readonly routes?: readonly CaddyRoute[];
  readonly request?: { readonly delete?: readonly string[] };
  readonly response?: {
    readonly set?: Readonly<Record<string, readonly string[]>>;
    readonly delete?: readonly string[];
  };
  readonly rewrite?: { readonly method?: string; readonly uri?: string };
  readonly upstreams?: readonly { readonly dial: string }[];
  readonly stream_close_delay?: number;
  readonly health_checks?: {
    readonly active?: { readonly uri?: string; readonly expect_body?: string; readonly interval?: number };
  };
  readonly headers?: {
    readonly request?: { readonly set?: object; readonly replace?: Readonly<Record<string, readonly object[]>> };
  };
  readonly match?: { readonly headers?: Readonly<Record<string, readonly string[]>> };
  readonly handle_response?: readonly object[];
  readonly root?: string;
}

export interface CaddyRoute {
  readonly match?: readonly { readonly host?: readonly string[]; readonly path?: readonly string[] }[];
  readonly handle: readonly Handler[];
}

export interface CaddyConfig {
  readonly admin: { readonly listen: string };
  readonly apps: {
    readonly http: {
      readonly grace_period: number;
      readonly servers: Readonly<
        Record<
          string,
          {
            readonly listen: readonly string[];
            readonly routes: readonly CaddyRoute[];
            readonly tls_connection_policies: readonly object[];
          }
        >
      >;
    };
    readonly tls: {
      readonly automation: {
        readonly renew_interval: number;
        readonly policies: readonly {
          readonly subjects: readonly string[];
          readonly issuers: readonly Readonly<Record<string, unknown>>[];
        }[];
      };
    };
  };
}

/** What the real Caddy makes of a Caddyfile. @throws Error with its words where it refuses the file */
export async function adapt<T = CaddyConfig>(caddyfile: string): Promise<T> {
  return JSON.parse(await runCaddy("adapt", caddyfile)) as T;
}

/** Loads every module of the configuration as a start would. @throws Error with Caddy's words */
export async function validate(caddyfile: string): Promise<void> {
  await runCaddy("validate", caddyfile);
}

async function runCaddy(verb: "adapt" | "validate", caddyfile: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "caddy-"));
  const file = join(folder, "Caddyfile");
  writeFileSync(file, caddyfile);
  const env = caddyHome(folder);
  try {
    const args = [verb, "--adapter", "caddyfile", "--config", file];
    return execFileSync(await caddy(), args, {
      encoding: "utf8",
      env,
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * All handlers that a request to this host passes, in order; those of a subroute in its place, its routes as marked.
 *
 * @param port as `:443`, of one server alone @default all servers
 */
export function handlersOf(config: CaddyConfig, host: string, port?: string): Handler[] {
  const servers = Object.values(config.apps.http.servers).filter(({ listen }) => !port || listen.includes(port));
  const routes = servers.flatMap((server) => server.routes);
  const own = routes.filter(({ match }) => match?.some(({ host: hosts }) => hosts?.includes(host)));
  return own.flatMap(({ handle }) => handle.flatMap(flat));
}

function flat(handler: Handler): Handler[] {
  if (handler.handler !== "subroute") return [handler];
  return (handler.routes ?? []).flatMap(({ handle }) => handle.flatMap(flat));
}
