import type { Route } from "../routes";
import { type Problem, when } from "../settings/problem";

/** Ports of the server, of the web terminal, and of what connects the edge to localhost (image/localhost.py). */
export const ownPorts = { server: 4096, terminal: 7681, localhost: 1080 };

/** Subdomain of the site of a dev server. */
export const previewLabel = (port: number, subdomain: string) => `${port}-${subdomain}`;

/** A preview of the server or the terminal would be a second way to them, past what their own site checks. */
export function previewProblems(ports: readonly number[], subdomain: string): Problem[] {
  const key = "opencodePreviews";
  return ports.flatMap((port, index) => [
    ...when(
      Object.values(ownPorts).includes(port),
      key,
      `[${index}] is one of OpenCode's own ports: ${Object.values(ownPorts).join(", ")}`,
    ),
    // A label of DNS (RFC 1035).
    ...when(previewLabel(port, subdomain).length > 63, key, `[${index}] makes a subdomain of more than 63 characters`),
  ]);
}

/** The sites of the dev servers. @param network of the edge, which OpenCode's server is in */
export function previewRoutes(ports: readonly number[], subdomain: string, network: string): Route[] {
  return ports.map((port) => ({
    subdomain: previewLabel(port, subdomain),
    network,
    upstream: `opencode-server:${ownPorts.localhost}`,
    localPort: port,
    policy: "two_factor",
    paths: [],
    title: `OpenCode :${port}`,
    summary: {
      en: `What listens on port ${port} of the workspace`,
      zh: `工作区里监听端口 ${port} 的程序`,
    },
  }));
}
