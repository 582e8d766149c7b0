import { removeSandbox } from "../../../sandbox/sandbox";
import { AppsWorld, appSettings } from "../apps/world";
import { containerMemory, sum } from "../memory";
import { secretsHidden } from "../scenarios/apps-secrets";
import { eventually } from "../world";
import { lwsandboxAgent } from "./agent";
import { lwsandboxBackup } from "./backup";
import { lwsandboxGate } from "./gate";
import { type Box, Liteboxd } from "./liteboxd";
import { makeKey, openLwsandbox, prepareBoard } from "./open";
import { lwsandboxRemoval } from "./removal";
import { lwsandboxWalls } from "./walls";
import { say } from "../../../cli/say";

// lwsandbox as an operator has it: `pulumi up`, the gateway, keys, a sandbox that answers; real Kubernetes instead of k3s, and
// a stand-in for liteboxd that uses it.
jest.setTimeout(25 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "lwsandbox-up";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new AppsWorld();
const hostMiB = 8192;
let files: () => void;
const liteboxd = new Liteboxd(world);
let box: Box;

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  files = await openLwsandbox(world, name, say);
  await world.startOutside();
  await world.watchedUp();
});

afterAll(async () => {
  world.stopOutside();
  files();
  if (!keep) await removeSandbox(name, say);
});

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
    expect([path, (await liteboxd.ask("GET", path, {})).status]).toEqual([path, 401]);
  expect((await world.request("sandbox", "/", { headers: { accept: "text/html" } })).status).toBe(302);
});

test("behind the gate are its pages and its own login, whose session makes a key", async () => {
  expect(await liteboxd.openPages()).toBe("web");
  const { cookie } = world;
  expect((await liteboxd.ask("GET", "/api/v1/sandboxes", { cookie })).status).toBe(401);
  expect((await liteboxd.login("liteboxd-admin")).status).toBe(401);
  await makeKey(world, liteboxd);
});

test("a script with that key, and nothing else, runs a sandbox in the cluster", async () => {
  box = await liteboxd.create();
  expect(box.accessUrl).toBe(`https://sandbox.${world.domain}/api/v1/sandbox/${box.id}`);
  expect(await liteboxd.pods()).toEqual([`sandbox-${box.id}`]);
});

test("who has a sandbox's token reaches it through the gateway; another token, and the key itself, do not", async () => {
  expect(await eventually(60, async () => (await liteboxd.inside(box)).status === 200)).toBe(true);
  expect((await liteboxd.inside(box)).body).toMatch(/^GET \/hello /);
  expect((await liteboxd.inside({ ...box, accessToken: "0a1b2c" })).status).toBe(401);
  const asKey = await liteboxd.ask("GET", `/api/v1/sandbox/${box.id}/port/3000/hello`, liteboxd.withKey);
  expect(asKey.status).toBe(401);
});

test("keys are managed by nobody who has only a key", async () => {
  for (const headers of [
    liteboxd.withKey,
    { authorization: "Bearer eyJhbGciOi" },
    { "x-access-token": box.accessToken },
  ]) {
    const made = await liteboxd.ask("POST", "/api/v1/auth/api-keys", headers, { name: "more" });
    expect([JSON.stringify(Object.keys(headers)), made.status]).toEqual([expect.any(String), 401]);
  }
  expect((await liteboxd.ask("GET", "/api/v1/auth/me", liteboxd.withKey)).status).toBe(200);
});

test("deployed again it keeps its users, keys and sandboxes; k3s is not touched", async () => {
  const k3s = () => world.onHost("systemctl show -p MainPID --value cloudcode-k3s");
  const server = async () => (await world.containers())["cloudcode-lwsandbox-server"];
  const before = { k3s: await k3s(), server: await server() };
  world.sandbox.configure({ lwsandboxSessionMaxAge: "3600" });
  await world.up();
  expect(await k3s()).toBe(before.k3s);
  expect(await server()).not.toBe(before.server);
  expect(await liteboxd.ids()).toEqual([box.id]);
  expect((await liteboxd.inside(box)).status).toBe(200);
});

test("switched off it takes k3s along, and back on it finds what there was", async () => {
  world.sandbox.configure({ lwsandboxEnabled: "false" });
  await world.up();
  expect(await world.onHost("docker ps --all --format '{{.Names}}' | grep lwsandbox || true")).toBe("");
  expect(await world.onHost("systemctl is-active cloudcode-k3s || true")).toBe("inactive");
  world.sandbox.configure({ lwsandboxEnabled: "true" });
  await world.up();
  expect(await liteboxd.ids()).toEqual([box.id]);
  expect(await eventually(60, async () => (await liteboxd.inside(box)).status === 200)).toBe(true);
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

test("who takes more memory than the server's limit is ended, and the server goes on", async () => {
  const before = await world.containers();
  const greedy = "dd if=/dev/zero of=/dev/null bs=700M count=1 2>/dev/null; echo $?";
  expect(await world.inContainer("lwsandbox-server", greedy)).toBe("137");
  expect(await liteboxd.ids()).toEqual([box.id]);
  expect(await world.containers()).toEqual(before);
});

describe("OpenCode's agent", () => {
  lwsandboxAgent(world, liteboxd);
});
describe("the gate", () => {
  lwsandboxGate(world, liteboxd, () => box);
});
describe("walls", () => {
  lwsandboxWalls(world, liteboxd);
});
describe("secrets", () => {
  secretsHidden(world, () => liteboxd.madeOnHost());
});
describe("backups", () => {
  lwsandboxBackup(world, liteboxd, () => box, { name, say, prepare: () => prepareBoard(world) });
});
describe("given up", () => {
  lwsandboxRemoval(world);
});
