import type { Route } from "../../components/routes";

/** A site of an App behind two factors. @param more what is otherwise */
export function siteOf(more: Partial<Route> = {}): Route {
  return {
    subdomain: "app",
    network: "cloudcode-edge-app",
    upstream: "app-web:80",
    policy: "two_factor",
    paths: [],
    title: "App",
    summary: { en: "App", zh: "App" },
    ...more,
  };
}

/** OpenCode's. */
export function opencodeSite(more: Partial<Route> = {}): Route {
  return siteOf({ subdomain: "code", network: "cloudcode-edge-opencode", upstream: "opencode-server:4096", ...more });
}
