import { type StateResource, destroyPlan } from "../../ops/commands/destroy";

const urn = (type: string, name: string) => `urn:pulumi:home::cloudcode::${type}::${name}`;
function state(type: string, name: string, more: Partial<StateResource> = {}): StateResource {
  const { protect = false, dependencies = [], outputs = {}, custom = true, ...rest } = more;
  return { urn: urn(type, name), type, custom, protect, dependencies, outputs, ...rest };
}

const leftovers = state("command:local:Command", "host-leftovers");
const provider = state("pulumi:providers:alicloud", "alicloud");
const home = state("cloudcode:index:Home", "home", { custom: false });
const disk = state("alicloud:ecs/ecsDisk:EcsDisk", "host-data-disk", {
  protect: true,
  parent: home.urn,
  provider: `${provider.urn}::some-id`,
  dependencies: [leftovers.urn],
  outputs: { size: 20, category: "cloud_essd" },
});
const machine = state("alicloud:ecs/instance:Instance", "host-instance", { dependencies: [leftovers.urn] });
const attachment = state("alicloud:ecs/ecsDiskAttachment:EcsDiskAttachment", "a", {
  dependencies: [disk.urn, machine.urn],
});
const address = state("alicloud:ecs/eipAddress:EipAddress", "e", { outputs: { ipAddress: "203.0.113.7" } });
const app = state("cloudcode:index:ComposeStack", "opencode", { custom: false });
const password = state("random:index/randomPassword:RandomPassword", "backup-password", { protect: true });
const guard = state("command:local:Command", "destroy-guard");
const salt = state("random:index/randomPassword:RandomPassword", "auth-password");
const all = [leftovers, provider, home, disk, machine, attachment, address, app, password, salt, guard];

it("what is protected stays, with all that it needs; the rest goes", () => {
  expect(destroyPlan(all, false)).toEqual({
    goes: ["machine host-instance", "public address 203.0.113.7", "opencode and its containers", "3 other resources"],
    stays: ["data disk of 20 GiB", "password of backups"],
    guardedUrns: [disk.urn, password.urn, guard.urn],
    diskCategory: "cloud_essd",
  });
});

it("with everything nothing stays, and it is known whose protection is taken away first", () => {
  const plan = destroyPlan(all, true);
  expect(plan).toMatchObject({ stays: [], guardedUrns: [disk.urn, password.urn, guard.urn], diskCategory: undefined });
  expect(plan.goes).toEqual([
    "data disk of 20 GiB",
    "machine host-instance",
    "public address 203.0.113.7",
    "opencode and its containers",
    "password of backups",
    "5 other resources",
  ]);
});

it("of a stack with nothing protected all goes", () => {
  expect(destroyPlan([app, salt], false)).toMatchObject({
    goes: ["opencode and its containers", "1 other resource"],
    stays: [],
    guardedUrns: [],
  });
});
