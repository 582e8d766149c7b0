import { typeAndBase64 } from "../../../components/settings/checks";
import { cacheDir } from "../../../cli/cache";
import { hostExec, startHost, stopHost } from "../../../sandbox/host/host";
import { run, succeeds } from "../../../cli/run";
import { say } from "../../../cli/say";
import { removeSandbox } from "../../../sandbox/sandbox";
import { AppsWorld } from "../apps/world";
import { eventually } from "../world";
import { type Box, Liteboxd } from "./liteboxd";
import { boardTools, makeKey, openLwsandbox } from "./open";

// lwsandbox on more machines than the host: they join, hold sandboxes, and are let go. Real machines with SSH, real Kubernetes in
// the place of k3s.
jest.setTimeout(25 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "lwsandbox-workers";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new AppsWorld();
const liteboxd = new Liteboxd(world);
const machines = [11, 12].map((last) => ({ host: `${name}-${last}`, last }));
let files: () => void;
let boxes: Box[] = [];

beforeAll(async () => {
  if (!keep) await removeAll();
  files = await openLwsandbox(world, name, say);
  const { loginKey, hostKey } = world.sandbox;
  for (const { host, last } of machines) {
    const key = { authorizedKey: loginKey.publicKey, hostKeyPair: hostKey };
    await startHost({ name: host, cacheDir, ...key, say });
    // The network of the host is its second one, so that k3s must be given its name.
    const join = ["network", "connect", "--ip", addressOf(last), `cloudcode-${name}`, `cloudcode-${host}`];
    await succeeds("docker", join);
    if (world.sandbox.origin === "stand-in") await onWorker(host, boardTools);
  }
});

afterAll(async () => {
  files();
  if (!keep) await removeAll();
});

async function removeAll(): Promise<void> {
  for (const { host } of machines) await stopHost(host);
  await removeSandbox(name, say);
}

const addressOf = (last: number) => world.sandbox.host.address.replace(/\d+$/, String(last));
const nameOf = (last: number) => `worker-${addressOf(last).replaceAll(".", "-")}`;
const onWorker = (host: string, script: string) =>
  hostExec(host, ["sh", "-c", script]).then(({ stdout }) => stdout.trim());
const publicKey = () => typeAndBase64(world.sandbox.hostKey.publicKey);
const workOn = async (...lasts: readonly number[]) => {
  world.sandbox.configure({ lwsandboxWorkerHosts: lasts.map((last) => `${addressOf(last)} ${publicKey()}`) });
  await world.up();
};
const nodes = async () =>
  (await liteboxd.kubectl("get nodes --no-headers | awk '{ print $1, $2 }'")).split("\n").sort();
/** Node of each sandbox, by its id. */
const places = async () => {
  const columns = "custom-columns=:metadata.name,:spec.nodeName";
  const lines = await liteboxd.kubectl(`get pods -n liteboxd-sandbox --no-headers -o ${columns}`);
  return Object.fromEntries(
    lines
      .split("\n")
      .filter(Boolean)
      .map(
        (line) =>
          line
            .trim()
            .replace(/^sandbox-/, "")
            .split(/\s+/) as [string, string],
      ),
  );
};
const statusOf = (box: Box) => liteboxd.inside(box).then(({ status }) => status);
const answers = (box: Box) => eventually(60, async () => (await statusOf(box)) === 200);
const opens = (address: string, port: number) =>
  run("bash", ["-c", `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null && echo open || echo shut`]);

test("a host that is alone has its sandboxes; nothing listens for machines that nobody asked for", async () => {
  await world.up();
  expect(await nodes()).toEqual(["cloudcode Ready"]);
  expect(await world.onHost("grep -c agent-token /opt/cloudcode/k3s/config.yaml || true")).toBe("0");
  expect(await liteboxd.openPages()).toBe("web");
  await makeKey(world, liteboxd);
  boxes = [await liteboxd.create()];
});

test("two machines join, and the sandboxes that were there go on", async () => {
  await workOn(11, 12);
  expect(await eventually(60, async () => (await nodes()).every((node) => node.endsWith(" Ready")))).toBe(true);
  expect(await nodes()).toEqual([...["cloudcode", nameOf(11), nameOf(12)].map((node) => `${node} Ready`)].sort());
  for (const box of boxes) expect(await answers(box)).toBe(true);
});

test("a second up changes nothing and touches no machine", async () => {
  expect(await world.sshConnections(() => world.up("--expect-no-changes"))).toBe(0);
});

test("sandboxes spread over them, and each answers who has its token", async () => {
  for (let more = 0; more < 6; more++) boxes.push(await liteboxd.create());
  expect(await eventually(60, async () => Object.values(await places()).every((node) => node !== "<none>"))).toBe(true);
  expect([...new Set(Object.values(await places()))].sort()).toEqual(["cloudcode", nameOf(11), nameOf(12)].sort());
  for (const box of boxes) expect(await answers(box)).toBe(true);
});

test("nobody but the cluster's machines reaches k3s, and no sandbox on a worker is open to the network", async () => {
  for (const last of [2, 11, 12])
    for (const port of [6443, 10250, 10256])
      expect([last, port, (await opens(addressOf(last), port)).stdout.trim()]).toEqual([last, port, "shut"]);
  const [far = ""] = Object.entries(await places()).flatMap(([id, node]) => (node === nameOf(11) ? [id] : []));
  const pod = await liteboxd.kubectl(`get pod sandbox-${far} -n liteboxd-sandbox -o 'jsonpath={.status.podIP}'`);
  const probe = `timeout 3 bash -c 'exec 3<>/dev/tcp/${pod}/3000' 2>/dev/null && echo open || echo shut`;
  expect(await onWorker(machines[1]?.host ?? "", probe)).toBe("shut");
  expect(await world.inContainer("lwsandbox-web", `nc -w 3 ${pod} 3000 </dev/null && echo open || echo shut`)).toBe(
    "shut",
  );
  const metadata = `ip netns exec "$(ip netns list | awk '/^cni/ { print $1; exit }')" timeout 3 bash -c 'exec 3<>/dev/tcp/100.100.100.200/80'`;
  expect(await onWorker(machines[0]?.host ?? "", `${metadata} 2>/dev/null && echo open || echo shut`)).toBe("shut");
});

test("what machines join with stands in no plain state, output or process list", async () => {
  const [, token = ""] = (await world.onHost("cat /var/lib/rancher/k3s/server/agent-token")).split("::node:");
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await world.stateText()).not.toContain(token);
  for (const { host } of machines) expect(await onWorker(host, "ps -eo args")).not.toContain(token);
  expect(await onWorker(machines[0]?.host ?? "", "stat -c %a /opt/cloudcode/k3s/token")).toBe("600");
});

test("a worker that is off is reported by the host's own check, and is one again when it is on", async () => {
  const { host = "", last = 0 } = machines[1] ?? {};
  const check = () => world.onHost("/opt/cloudcode/bin/cloudcode-check | grep ^k3s");
  expect(await check()).toMatch(new RegExp(`^k3s\tok\tcloudcode Ready, .*${nameOf(last)} Ready`));
  await run("docker", ["stop", "-t", "30", `cloudcode-${host}`]);
  expect(await eventually(120, async () => (await check()).startsWith("k3s\tred"))).toBe(true);
  expect(await check()).toMatch(new RegExp(`${nameOf(last)} NotReady\t.*on that machine`));
  await run("docker", ["start", `cloudcode-${host}`]);
  expect(await eventually(120, async () => (await nodes()).includes(`${nameOf(last)} Ready`))).toBe(true);
  for (const box of boxes) expect(await answers(box)).toBe(true);
});

test("all are let in again where the cluster is another than they know; only the host's sandboxes go on", async () => {
  const before = await places();
  const token = () => onWorker(machines[0]?.host ?? "", "cat /opt/cloudcode/k3s/admission");
  const admission = await token();
  await world.up("--replace", "**worker-*-membership");
  expect(await token()).not.toBe(admission);
  expect(await eventually(60, async () => (await nodes()).every((node) => node.endsWith(" Ready")))).toBe(true);
  expect(await nodes()).toHaveLength(3);
  const onHost = boxes.filter(({ id }) => before[id] === "cloudcode");
  expect(onHost.length).toBeGreaterThan(0);
  for (const box of onHost) expect(await answers(box)).toBe(true);
  boxes = onHost;
  for (let more = 0; more < 6; more++) boxes.push(await liteboxd.create());
  for (const box of boxes) expect(await answers(box)).toBe(true);
  expect(new Set(Object.values(await places())).size).toBe(3);
});

test("one that is no longer listed is drained and forgotten, and has nothing of k3s left", async () => {
  const gone = Object.entries(await places()).flatMap(([id, node]) => (node === nameOf(12) ? [id] : []));
  await workOn(11);
  expect(await nodes()).toEqual(["cloudcode Ready", `${nameOf(11)} Ready`].sort());
  expect(Object.keys(await places()).some((id) => gone.includes(id))).toBe(false);
  for (const box of boxes.filter(({ id }) => !gone.includes(id))) expect(await answers(box)).toBe(true);
  const left =
    "ls -d /opt/cloudcode/k3s /var/lib/rancher/k3s /etc/rancher/node /etc/systemd/system/cloudcode-k3s.service 2>/dev/null; iptables-save | grep -E 'KUBE|K3S|FLANNEL'; ip netns list; pgrep -fa '[/]k3s/bin/k3s'; true";
  expect(await onWorker(machines[1]?.host ?? "", left)).toBe("");
  expect(await world.onHost(`iptables -S | grep -c ${addressOf(12)} || true`)).toBe("0");
});

test("the same machine is let in again", async () => {
  await workOn(11, 12);
  expect(await eventually(60, async () => (await nodes()).includes(`${nameOf(12)} Ready`))).toBe(true);
});

test("with lwsandbox off, none of it is left anywhere", async () => {
  world.sandbox.configure({ lwsandboxEnabled: "false" });
  await world.up();
  for (const { host } of machines)
    expect(await onWorker(host, "systemctl is-active cloudcode-k3s || true")).toBe("inactive");
  expect(await world.onHost("systemctl is-active cloudcode-k3s || true")).toBe("inactive");
});
