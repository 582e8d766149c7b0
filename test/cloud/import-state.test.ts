import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { projectRoot } from "../../sandbox/folder";
import { newKeyPair } from "../../sandbox/host/keys";
import { CommandError, run, until } from "../../cli/run";
import { say } from "../../cli/say";
import { type AlicloudSandbox, openAlicloudSandbox, removeSandbox } from "../../sandbox/sandbox";
import { call } from "@cloudcode/alicloud-emulator/testing/client";
import { Account } from "./account";
import { counts } from "./world";

// What the old CLI made is taken over by the real provider at the emulated account, on a machine that really runs.
jest.setTimeout(15 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "import-test";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const stack = "import-test";
// Where Pulumi looks for the configuration of a stack that is named on the command line.
const stackFile = join(projectRoot, `Pulumi.${stack}.yaml`);
const old = newKeyPair();
const folder = mkdtempSync(join(tmpdir(), "old-cli-"));
const file = join(folder, "state.json");
let sandbox: AlicloudSandbox;
let account: Account;
let ids: Record<"vpc" | "vswitch" | "group" | "machine" | "address", string>;
let hostKey = "";
const volume = "volumes/cloudcode_devbox_workspace/_data/work.txt";

/** A call as the old CLI made it. Gives a text of the answer. */
async function made(product: string, action: string, parameters: Record<string, string>, field = "RequestId") {
  const { status, body } = await call(Number(new URL(sandbox.controlUrl).port), product, action, parameters);
  if (status !== 200) throw new Error(`${action}: ${JSON.stringify(body)}`);
  await fetch(`${sandbox.controlUrl}idle`, { method: "POST" });
  return field === "InstanceIdSets"
    ? (z.object({ InstanceIdSet: z.array(z.string()) }).parse(body[field]).InstanceIdSet[0] ?? "")
    : z.string().parse(body[field]);
}

/** All that the old CLI makes, in its order. */
async function oldResources() {
  const vpc = await made("vpc", "CreateVpc", { CidrBlock: "192.168.0.0/16", VpcName: "cloudcode-vpc" }, "VpcId");
  const block = { VpcId: vpc, ZoneId: "ap-southeast-1b", CidrBlock: "192.168.1.0/24" };
  const vswitch = await made("vpc", "CreateVSwitch", { ...block, VSwitchName: "cloudcode-vswitch" }, "VSwitchId");
  const owner = { VpcId: vpc, SecurityGroupName: "cloudcode-sg" };
  const group = await made("ecs", "CreateSecurityGroup", owner, "SecurityGroupId");
  for (const port of [22, 80, 443, 8443])
    await made("ecs", "AuthorizeSecurityGroup", {
      SecurityGroupId: group,
      IpProtocol: "TCP",
      PortRange: `${port}/${port}`,
      SourceCidrIp: "0.0.0.0/0",
      Description: "old",
    });
  await made("ecs", "ImportKeyPair", { KeyPairName: "cloudcode-ssh-key", PublicKeyBody: old.publicKey });
  // The emulator has no CreateInstance; RunInstances makes the same machine.
  const machine = await made(
    "ecs",
    "RunInstances",
    {
      InstanceType: "ecs.e-c1m2.large",
      ImageId: "ubuntu_24_04_x64_20G_alibase_20261012.vhd",
      VSwitchId: vswitch,
      "SecurityGroupIds.1": group,
      KeyPairName: "cloudcode-ssh-key",
      InstanceName: "cloudcode-ecs",
      "SystemDisk.Size": "60",
      "SystemDisk.Category": "cloud_essd",
    },
    "InstanceIdSets",
  );
  const eip = { Bandwidth: "5", InternetChargeType: "PayByTraffic", Name: "cloudcode-eip" };
  const address = await made("vpc", "AllocateEipAddress", eip, "AllocationId");
  await made("vpc", "AssociateEipAddress", { AllocationId: address, InstanceId: machine });
  return { vpc, vswitch, group, machine, address };
}

/** What the old CLI writes. */
function stateJson({ vpc, vswitch, group, machine, address } = ids, more: object = {}): string {
  return JSON.stringify({
    version: "1.0",
    created_at: "2026-02-01T00:00:00Z",
    region: "ap-southeast-1",
    status: "running",
    resources: {
      vpc: { id: vpc, cidr: "192.168.0.0/16" },
      vswitch: { id: vswitch, zone: "ap-southeast-1b" },
      security_group: { id: group },
      ecs: { id: machine, instance_type: "ecs.e-c1m2.large", system_disk_size: 60 },
      eip: { id: address, ip: sandbox.host.address },
      ssh_key_pair: { name: "cloudcode-ssh-key", private_key_path: ".cloudcode/ssh_key" },
    },
    cloudcode: { username: "admin", domain: `${sandbox.host.address}.nip.io` },
    ...more,
  });
}

/** `npm run ops -- import-state`; its words, whether it failed or not. */
async function importState(...words: readonly string[]): Promise<string> {
  const args = ["--import", "tsx", "ops/main.ts", "--stack", stack, "import-state", ...words];
  try {
    const { stdout, stderr } = await run(process.execPath, args, { cwd: projectRoot, env: sandbox.env });
    return `${stderr}${stdout}`;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return `failed: ${error.output.stderr}`;
  }
}

const pulumi = (...args: readonly string[]) =>
  run(sandbox.engine.pulumi, [...args, "--non-interactive", "--stack", stack, "--cwd", projectRoot], {
    env: sandbox.env,
  });

const onHost = async (script: string) => (await sandbox.exec(["sh", "-euc", script])).stdout.trim();

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  sandbox = await openAlicloudSandbox(name, say, { stack });
  sandbox.configure({ opencodeEnabled: "false", budgetUsd: "60" });
  copyFileSync(sandbox.stackFile, stackFile);
  account = new Account(sandbox.controlUrl);
  ids = await oldResources();
  writeFileSync(file, stateJson());
  writeFileSync(join(folder, "ssh_key"), old.privateKey, { mode: 0o600 });
  await until(
    60,
    () => onHost("systemctl is-active ssh && cat /etc/ssh/ssh_host_ed25519_key.pub").catch(() => undefined),
    () => Promise.resolve("the old machine does not boot"),
  );
  await onHost(
    `cloud-init status --wait >/dev/null || true
apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends docker.io docker-cli >/dev/null
docker volume create cloudcode_devbox_workspace && echo precious >/var/lib/docker/${volume}`,
  );
  hostKey = await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub");
  await account.forgetCalls();
});

afterAll(async () => {
  rmSync(stackFile, { force: true });
  rmSync(folder, { recursive: true });
  if (!keep) await removeSandbox(name, say);
});

test("what cannot be adopted is reported at once, and nothing is changed", async () => {
  const before = readFileSync(stackFile, "utf8");
  const wrong = join(folder, "wrong.json");
  writeFileSync(wrong, stateJson({ ...ids, vswitch: "" }, { version: "0.9", status: "suspended" }));
  expect(await importState(wrong)).toBe(`failed: ${wrong} cannot be adopted; nothing was changed.
  version is 0.9; only 1.0 is known
  status is suspended: start the machine with \`cloudcode resume\` of the old CLI, then import
  resources.vswitch.id is missing, but a resource that needs it exists
`);
  writeFileSync(wrong, stateJson({ ...ids, vpc: "vpc-t4ngone" }));
  const words = await importState(wrong);
  expect(words).toContain("the VPC vpc-t4ngone is not in ap-southeast-1");
  expect(words).toContain("--host-key is missing: read it on the machine");
  expect(await importState(file, "--host-key", hostKey, "--dry-run")).toContain("Nothing was changed: --dry-run.");
  expect(readFileSync(stackFile, "utf8")).toBe(before);
  expect(Object.keys(await account.calls()).filter((action) => !action.startsWith("Describe"))).toEqual([]);
});

test("another host key than the one given ends it before a secret is sent; the same command then goes on", async () => {
  expect(await importState(file, "--host-key", newKeyPair().publicKey)).toContain("Host key verification failed");
  expect(await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub")).toBe(hostKey);
  expect(await importState(file, "--host-key", hostKey)).toContain("Adopted. pulumi up creates the rest");
  expect(await onHost("cat /etc/ssh/ssh_host_ed25519_key.pub")).not.toBe(hostKey);
  expect(Object.keys(await account.calls()).filter((action) => !action.startsWith("Describe"))).toEqual([]);
});

test("the same file again is adopted already", async () => {
  expect(await importState(file)).toContain("Already adopted");
});

test("up sets the same machine up, and deletes nothing but rules that are not its own", async () => {
  await pulumi("up", "--yes", "--skip-preview");
  const actions = Object.keys(await account.calls());
  expect(
    actions.filter((action) => /^(Delete|Release|Unassociate|RunInstances|CreateVpc|CreateVSwitch)/.test(action)),
  ).toEqual([]);
  const inventory = await account.inventory();
  for (const id of Object.values(ids)) expect(inventory.map((one) => one.id)).toContain(id);
  expect(await account.one("instances")).toMatchObject({
    id: ids.machine,
    status: "Running",
    name: `cloudcode-${stack}`,
  });
  expect(await onHost(`cat /var/lib/docker.before/${volume}; findmnt -no FSTYPE /var/lib/docker`)).toBe(
    "precious\next4",
  );
  expect(await onHost("docker ps --format '{{.Names}}' | sort")).toMatch(/cloudcode-auth[^]*cloudcode-edge/);
  expect(await account.violations()).toEqual([]);
});

test("OpenCode's volumes get what the old ones had, once", async () => {
  await onHost(`for v in workspace config data; do
  docker volume create cloudcode-opencode_$v >/dev/null
  mkdir -p /var/lib/docker.before/volumes/cloudcode_devbox_$v/_data
done
echo old >/var/lib/docker.before/volumes/cloudcode_devbox_data/_data/sessions
mkdir -p /var/lib/docker/volumes/cloudcode-opencode_data/_data/share/opencode
echo new >/var/lib/docker/volumes/cloudcode-opencode_data/_data/share/opencode/sessions`);
  const carry = () =>
    run(process.execPath, ["--import", "tsx", "ops/main.ts", "--stack", stack, "import-data"], {
      cwd: projectRoot,
      env: sandbox.env,
    });
  await carry();
  expect(
    await onHost(`cd /var/lib/docker/volumes
stat -c '%u %n' cloudcode-opencode_workspace/_data/work.txt
cat cloudcode-opencode_workspace/_data/work.txt cloudcode-opencode_data/_data/share/opencode/sessions \\
  cloudcode-opencode_data/_data/share/opencode.before-*/sessions`),
  ).toBe("1000 cloudcode-opencode_workspace/_data/work.txt\nprecious\nold\nnew");
  await expect(carry()).rejects.toThrow("copied already");
});

test("then nothing is to change, and the file is still adopted", async () => {
  expect(counts((await pulumi("preview")).stdout)).toEqual({ unchanged: expect.any(Number) as number });
  expect(counts((await pulumi("preview", "--refresh")).stdout)).toEqual({ unchanged: expect.any(Number) as number });
  expect(await importState(file)).toContain("Already adopted");
});
