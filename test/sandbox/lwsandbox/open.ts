import type { Say } from "../../../cli/run";
import { openSandbox } from "../../../sandbox/sandbox";
import { type AppsWorld, appSecrets } from "../apps/world";
import { username } from "../world";
import { serveK3s } from "./k3s-files";
import type { Liteboxd } from "./liteboxd";

/** Packages that the real k3s has on board. */
export const boardTools =
  "apt-get -qq update && apt-get -qq install -y --no-install-recommends ipset iproute2 >/dev/null";

/** Makes a host whose k3s is a stand-in ready for it. */
export async function prepareBoard(world: AppsWorld): Promise<void> {
  if (world.sandbox.origin === "stand-in") await world.onHost(boardTools);
}

/** A sandbox whose stack is about to have lwsandbox. The caller ends what serves its k3s. */
export async function openLwsandbox(world: AppsWorld, name: string, say: Say): Promise<() => void> {
  world.sandbox = await openSandbox(name, say, { allApps: true });
  const { stop, settings } = await serveK3s(world.sandbox, say);
  await prepareBoard(world);
  await world.setSecrets(appSecrets);
  world.sandbox.configure({ adminUsername: username, opencodeEnabled: "false", lwsandboxEnabled: "true", ...settings });
  return stop;
}

/** Signs in at liteboxd, behind the gateway: the headers of who is. */
export async function sessionOf(world: AppsWorld, liteboxd: Liteboxd): Promise<{ readonly cookie: string }> {
  const { status, headers } = await liteboxd.login(await world.appLogin("lwsandbox"));
  expect(status).toBe(200);
  const [session = ""] = headers["set-cookie"] ?? [];
  expect(session).toMatch(/^liteboxd_session=\w+;.*HttpOnly.*Secure/);
  return { cookie: `${world.cookie}; ${session.split(";")[0] ?? ""}` };
}

/** Makes a key for scripts, in such a session. */
export async function makeKey(world: AppsWorld, liteboxd: Liteboxd): Promise<void> {
  const both = await sessionOf(world, liteboxd);
  const made = await liteboxd.ask("POST", "/api/v1/auth/api-keys", both, { name: "script" });
  expect(made.status).toBe(201);
  liteboxd.key = (JSON.parse(made.body) as { key: string }).key;
}
