import { readFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openSandbox, removeSandbox } from "../../../sandbox/sandbox";
import { AppsWorld, appSecrets, appSettings } from "../apps/world";
import { containerMemory, sum } from "../memory";
import { signIn } from "../sign-in";
import { eventually, username } from "../world";
import { k3sFiles } from "./k3s-files";

// lwsandbox as an operator has it: `pulumi up`, the gate, keys, a sandbox that answers; real Kubernetes in the place of k3s, and
// a stand-in for liteboxd that uses it.
jest.setTimeout(25 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "lwsandbox-up";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const say = (line: string) => process.stderr.write(`${line}\n`);
const world = new AppsWorld();
const hostMiB = 8192;
let files: Server;
let key = "";
let box = { id: "", accessToken: "", accessUrl: "" };

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  world.sandbox = await openSandbox(name, say, { allApps: true, standIns: true });
  await world.startOutside();
  const { sandbox } = world;
  const folder = join(sandbox.folder, "k3s");
  const release = await k3sFiles(folder, say);
  files = createServer((request, response) => {
    response.end(readFileSync(join(folder, (request.url ?? "").replace(/^\/k3s\/(?=[^/]+$)/, ""))));
  });
  await new Promise<void>((resolve) => files.listen(0, sandbox.host.gateway, resolve));
  const url = `http://${sandbox.host.gateway}:${(files.address() as AddressInfo).port}/k3s`;
  // The real k3s has these on board.
  await world.onHost("apt-get -qq update && apt-get -qq install -y --no-install-recommends ipset iproute2 >/dev/null");
  await world.setSecrets(appSecrets);
  sandbox.configure({
    ...{ adminUsername: username, opencodeEnabled: "false" },
    ...{ lwsandboxEnabled: "true", lwsandboxK3s: release, lwsandboxK3sUrl: url },
  });
  await world.up();
});

afterAll(async () => {
  world.stopOutside();
  files.close();
  if (!keep) await removeSandbox(name, say);
});

/** A request to lwsandbox as JSON. */
async function ask(method: string, path: string, headers: Record<string, string>, body?: object) {
  const json = { accept: "application/json", "content-type": "application/json" };
  return world.request("sandbox", path, {
    ...{ method, headers: { ...json, ...headers } },
    ...(body && { body: JSON.stringify(body) }),
  });
}
const withKey = () => ({ authorization: `Bearer ${key}` });

test("a second up changes nothing and touches no host", async () => {
  const connections = await world.sshConnections(() => world.up("--expect-no-changes"));
  expect(connections).toBe(0);
});

test("the host's own check sees the cluster, and says when it is stopped", async () => {
  const check = () => world.onHost("/opt/cloudcode/bin/cloudcode-check | grep ^k3s");
  expect(await check()).toMatch(/^k3s\tok\tcloudcode Ready/);
  await world.onHost("systemctl stop cloudcode-k3s");
  expect(await check()).toMatch(/^k3s\tred\tinactive\tjournalctl -u cloudcode-k3s/);
  await world.onHost("systemctl start cloudcode-k3s");
  expect(await eventually(60, async () => (await check()).startsWith("k3s\tok"))).toBe(true);
});

test("nothing of it is open without the gate", async () => {
  for (const path of ["/", "/api/v1/sandboxes", "/api/v1/auth/login", "/api/v1/sandbox/1/port/3000/"])
    expect([path, (await ask("GET", path, {})).status]).toEqual([path, 401]);
  expect((await world.request("sandbox", "/", { headers: { accept: "text/html" } })).status).toBe(302);
});

test("behind the gate are its pages and its own login, whose session makes a key", async () => {
  await signIn(world, username, appSecrets.adminPassword, async ({ page }) => {
    await page.goto(`https://sandbox.${world.domain}/templates`);
    expect(await page.title()).toBe("LiteBoxd");
  });
  const { cookie } = world;
  expect((await ask("GET", "/api/v1/sandboxes", { cookie })).status).toBe(401);
  const wrong = { username: "admin", password: "liteboxd-admin" };
  expect((await ask("POST", "/api/v1/auth/login", { cookie }, wrong)).status).toBe(401);
  const right = { username: "admin", password: await world.appLogin("lwsandbox") };
  const answer = await ask("POST", "/api/v1/auth/login", { cookie }, right);
  expect(answer.status).toBe(200);
  const [session = ""] = answer.headers["set-cookie"] ?? [];
  expect(session).toMatch(/^liteboxd_session=\w+;.*HttpOnly.*Secure/);
  const both = { cookie: `${cookie}; ${session.split(";")[0] ?? ""}` };
  const made = await ask("POST", "/api/v1/auth/api-keys", both, { name: "script" });
  expect(made.status).toBe(201);
  ({ key } = JSON.parse(made.body) as { key: string });
});

test("a script with that key, and nothing else, runs a sandbox in the cluster", async () => {
  const made = await ask("POST", "/api/v1/sandboxes", withKey(), { image: "docker.io/library/python:3.12" });
  expect([made.status, made.body]).toEqual([201, expect.any(String)]);
  box = JSON.parse(made.body) as typeof box;
  expect(box.accessUrl).toBe(`https://sandbox.${world.domain}/api/v1/sandbox/${box.id}`);
  expect(await world.onHost(kubectl("get pods -n liteboxd-sandbox -o name"))).toBe(`pod/sandbox-${box.id}`);
});

const inside = async (token: string) => {
  const path = `/api/v1/sandbox/${box.id}/port/3000/hello`;
  return ask("GET", path, { "x-access-token": token });
};

test("who has a sandbox's token reaches it through the gateway; another token, and the key itself, do not", async () => {
  expect(await eventually(60, async () => (await inside(box.accessToken)).status === 200)).toBe(true);
  expect((await inside(box.accessToken)).body).toMatch(/^GET \/hello /);
  expect((await inside("0a1b2c")).status).toBe(401);
  const asKey = await ask("GET", `/api/v1/sandbox/${box.id}/port/3000/hello`, withKey());
  expect(asKey.status).toBe(401);
});

test("keys are managed by nobody who has only a key", async () => {
  for (const headers of [withKey(), { authorization: "Bearer eyJhbGciOi" }, { "x-access-token": box.accessToken }]) {
    const made = await ask("POST", "/api/v1/auth/api-keys", headers, { name: "more" });
    expect([JSON.stringify(Object.keys(headers)), made.status]).toEqual([expect.any(String), 401]);
  }
  expect((await ask("GET", "/api/v1/auth/me", withKey())).status).toBe(200);
});

test("the server's secrets show in no container's settings and no process list", async () => {
  const password = await world.appLogin("lwsandbox");
  const shown = await world.onHost("docker ps --quiet | xargs docker inspect; ps -eo args");
  expect(shown).not.toContain(password);
  expect(shown).not.toMatch(/SANDBOX_TOKEN_ENCRYPTION_KEY=/);
});

test("deployed anew it keeps its users, keys and sandboxes; k3s is not touched", async () => {
  const k3s = () => world.onHost("systemctl show -p MainPID --value cloudcode-k3s");
  const server = async () => (await world.containers())["cloudcode-lwsandbox-server"];
  const before = { k3s: await k3s(), server: await server() };
  world.sandbox.configure({ lwsandboxSessionMaxAge: "3600" });
  await world.up();
  expect(await k3s()).toBe(before.k3s);
  expect(await server()).not.toBe(before.server);
  expect(await sandboxes()).toEqual([box.id]);
  expect((await inside(box.accessToken)).status).toBe(200);
});

async function sandboxes(): Promise<string[]> {
  const { status, body } = await ask("GET", "/api/v1/sandboxes", withKey());
  expect([status, body]).toEqual([200, expect.any(String)]);
  return (JSON.parse(body) as { id: string }[]).map(({ id }) => id);
}

test("switched off it takes k3s along, and back on it finds what there was", async () => {
  world.sandbox.configure({ lwsandboxEnabled: "false" });
  await world.up();
  expect(await world.onHost("docker ps --all --format '{{.Names}}' | grep lwsandbox || true")).toBe("");
  expect(await world.onHost("systemctl is-active cloudcode-k3s || true")).toBe("inactive");
  world.sandbox.configure({ lwsandboxEnabled: "true" });
  await world.up();
  expect(await sandboxes()).toEqual([box.id]);
  expect(await eventually(60, async () => (await inside(box.accessToken)).status === 200)).toBe(true);
});

test("all five Apps and the gate fit a host of 8 GiB, k3s included", async () => {
  world.sandbox.configure({ ...appSettings, opencodeEnabled: undefined });
  await world.up();
  const { limits, used } = await containerMemory(world);
  const k3s = Number(await world.onHost("systemctl show -p MemoryCurrent --value cloudcode-k3s")) / 2 ** 20;
  say(`k3s ${k3s.toFixed(0)} MiB; limits of the containers ${sum(limits).toFixed(0)} MiB, used ${used.toFixed(0)} MiB`);
  expect(limits.every((limit) => limit > 0)).toBe(true);
  expect(sum(limits) + k3s).toBeLessThanOrEqual(hostMiB);
  expect(used + k3s).toBeLessThan(hostMiB / 2);
});

function kubectl(words: string): string {
  return `/opt/cloudcode/k3s/bin/k3s kubectl --kubeconfig /opt/cloudcode/k3s/admin.yaml ${words}`;
}
