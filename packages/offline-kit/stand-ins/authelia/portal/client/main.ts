// Stand-in for Authelia 4.39.20: the portal's script, run in the browser; the address decides the page.
import type { State } from "./api";
import { base, call, need, query } from "./api";
import { button, element, notify, show } from "./dom";
import { route } from "./login";
import { settings } from "./settings";

async function start(): Promise<void> {
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : location.pathname;
  if (path === "/revoke/one-time-code") {
    revoke();
    return;
  }
  if (path === "/logout") {
    await call("POST", "/api/logout", { targetURL: query("rd") ?? "" });
    const target = query("rd");
    location.replace(`${base}/${target === undefined ? "" : `?rd=${encodeURIComponent(target)}`}`);
    return;
  }
  const state = await need<State>("GET", "/api/state");
  if (path.startsWith("/settings") && state.authentication_level > 0) await settings(path);
  else await route(state);
}

function revoke(): void {
  show(
    button("revoke-button", "Revoke the one-time code", async () => {
      await need("DELETE", `/api/user/session/elevation/${query("id") ?? ""}`);
      show(element("p", {}, "The one-time code was revoked."));
    }),
  );
}

start().catch((error: unknown) => {
  notify(error instanceof Error ? error.message : String(error));
});
