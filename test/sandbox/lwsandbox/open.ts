import { readFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Say } from "../../../sandbox/host/run";
import { openSandbox } from "../../../sandbox/sandbox";
import { type AppsWorld, appSecrets } from "../apps/world";
import { username } from "../world";
import { k3sFiles } from "./k3s-files";
import { type Liteboxd } from "./liteboxd";

/** Packages that the real k3s has on board. */
export const boardTools =
  "apt-get -qq update && apt-get -qq install -y --no-install-recommends ipset iproute2 >/dev/null";

/** A sandbox whose stack is about to have lwsandbox; the server of k3s's two files, which the caller closes. */
export async function openLwsandbox(world: AppsWorld, name: string, say: Say): Promise<Server> {
  world.sandbox = await openSandbox(name, say, { allApps: true, standIns: true });
  const { sandbox } = world;
  const folder = join(sandbox.folder, "k3s");
  const release = await k3sFiles(folder, say);
  const files = createServer((request, response) => {
    response.end(readFileSync(join(folder, (request.url ?? "").replace(/^\/k3s\/(?=[^/]+$)/, ""))));
  });
  await new Promise<void>((resolve) => files.listen(0, sandbox.host.gateway, resolve));
  const url = `http://${sandbox.host.gateway}:${(files.address() as AddressInfo).port}/k3s`;
  await world.onHost(boardTools);
  await world.setSecrets(appSecrets);
  sandbox.configure({
    ...{ adminUsername: username, opencodeEnabled: "false" },
    ...{ lwsandboxEnabled: "true", lwsandboxK3s: release, lwsandboxK3sUrl: url },
  });
  return files;
}

/** Signs in at the gate and at liteboxd, and makes a key for scripts. */
export async function makeKey(world: AppsWorld, liteboxd: Liteboxd): Promise<void> {
  const { headers } = await liteboxd.login(await world.appLogin("lwsandbox"));
  const [session = ""] = headers["set-cookie"] ?? [];
  expect(session).toMatch(/^liteboxd_session=\w+;.*HttpOnly.*Secure/);
  const both = { cookie: `${world.cookie}; ${session.split(";")[0] ?? ""}` };
  const made = await liteboxd.ask("POST", "/api/v1/auth/api-keys", both, { name: "script" });
  expect(made.status).toBe(201);
  liteboxd.key = (JSON.parse(made.body) as { key: string }).key;
}
