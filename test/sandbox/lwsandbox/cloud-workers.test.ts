import { machineContainers } from "../../../sandbox/cloud/remove";
import { containerExec } from "../../../sandbox/host/container";
import { type AlicloudSandbox, openAlicloudSandbox, removeSandbox } from "../../../sandbox/sandbox";
import { Account } from "../../cloud/account";
import { domain } from "../../cloud/world";
import { ramPolicy } from "../../support/ram-policy";
import { World, eventually } from "../world";
import { serveK3s } from "./k3s-files";
import { boardTools } from "./open";
import { say } from "../../../cli/say";

// lwsandbox's workers on Alibaba Cloud: instances that the unmodified provider makes at the emulated account, as real machines.
jest.setTimeout(25 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "cloud-workers";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new World<AlicloudSandbox>();
let files: () => void;
let account: Account;
let tools: NodeJS.Timeout | undefined;

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  const sandbox = await openAlicloudSandbox(name, say, { allApps: true });
  world.sandbox = { ...sandbox, domain };
  account = new Account(sandbox.controlUrl);
  await account.restrict(ramPolicy(domain));
  const { stop, settings } = await serveK3s(sandbox, say);
  files = stop;
  // The real k3s has them on board; these machines are made only by `up`.
  if (sandbox.origin === "stand-in")
    tools = setInterval(
      () => void everywhere(`command -v ipset >/dev/null || { ${boardTools}; }`).catch(() => []),
      5000,
    );
  sandbox.configure({
    domain,
    opencodeEnabled: "false",
    lwsandboxEnabled: "true",
    ...settings,
    lwsandboxWorkers: "1",
    instanceTypes: ["ecs.e-c1m4.large"],
    budgetUsd: "500",
  });
});

afterAll(async () => {
  clearInterval(tools);
  files();
  if (!keep) await removeSandbox(name, say);
});

/** What the script prints on each machine that runs. */
async function everywhere(script: string): Promise<string[]> {
  const containers = await machineContainers(name, "running");
  const run = (container: string) => containerExec(container, ["sh", "-c", script]).then(({ stdout }) => stdout.trim());
  return Promise.all(containers.map(run));
}

const nodes = async () => {
  const kubectl = "/opt/cloudcode/k3s/bin/k3s kubectl --kubeconfig /opt/cloudcode/k3s/admin.yaml";
  const lists = await everywhere(
    `[ ! -e /opt/cloudcode/bin/cloudcode-host ] || ${kubectl} get nodes --no-headers | awk '{ print $1, $2 }'`,
  );
  return lists.join("\n").split("\n").filter(Boolean).sort();
};
const both = ["cloudcode Ready", "worker-1 Ready"];
const instances = async () =>
  (await account.inventory())
    .filter(({ kind }) => kind === "instances")
    .map(({ status, name: of }) => `${of} ${status}`);
const upWith = async (values: Readonly<Record<string, unknown>>) => {
  world.sandbox.configure(values);
  return world.up();
};

test("an instance beside the host joins its cluster, with no right more than a host needs", async () => {
  await world.up();
  expect(await eventually(60, async () => (await nodes()).join() === both.join())).toBe(true);
  expect((await instances()).sort()).toEqual(["cloudcode-sandbox Running", "cloudcode-sandbox-worker-1 Running"]);
  expect(await account.violations()).toEqual([]);
});

test("a second up changes nothing", async () => {
  await world.up("--expect-no-changes");
});

test("switched off with the host, it is a worker again when both are on, at whatever address", async () => {
  await upWith({ power: "stopped" });
  expect((await instances()).every((instance) => instance.endsWith(" Stopped"))).toBe(true);
  await upWith({ power: "running" });
  expect(await eventually(120, async () => (await nodes()).join() === both.join())).toBe(true);
});

test("no longer wanted, the cluster forgets it and the instance is deleted", async () => {
  await upWith({ lwsandboxWorkers: "0" });
  expect(await nodes()).toEqual(["cloudcode Ready"]);
  expect(await instances()).toEqual(["cloudcode-sandbox Running"]);
});
