// Stand-in for Authelia 4.39.20: the portal's script, run in the browser; the address decides the page.
import type { State } from "./api";
import { call, need, query } from "./api";
import { button, element, notify, show } from "./dom";
import { route } from "./login";
import { settings } from "./settings";

async function start(): Promise<void> {
  const { pathname: path } = location;
  const target = query("rd");
  if (path === "/revoke/one-time-code") {
    revoke();
  } else if (path === "/logout") {
    await call("POST", "/api/logout", { targetURL: target ?? "" });
    location.replace(`/${target === undefined ? "" : `?rd=${encodeURIComponent(target)}`}`);
  } else {
    const state = await need<State>("GET", "/api/state");
    if (path.startsWith("/settings") && state.authentication_level > 0) await settings();
    else await route(state);
  }
}

function revoke(): void {
  const action = async () => {
    await need("DELETE", `/api/user/session/elevation/${query("id") ?? ""}`);
    show(element("p", {}, "The one-time code was revoked."));
  };
  show(button("revoke-button", "Revoke the one-time code", action));
}

start().catch((error: unknown) => {
  notify(error instanceof Error ? error.message : String(error));
});
