import * as pulumi from "@pulumi/pulumi";
import { charge, hostNameOf, power } from "../../components/alicloud/resources/machine";
import type { MachineSettings } from "../../components/settings/targets";
import { textOf } from "../support/plain";
import { type ProgramRun, runAlicloud } from "../support/program";
import { eipAddress } from "../support/provider-answers";
import { cloudResources, optionsOf } from "../support/recorded-options";

let running: ProgramRun;
let stopped: ProgramRun;
beforeAll(async () => {
  running = await runAlicloud();
  stopped = await runAlicloud({ power: "stopped" });
});

const names = ({ resources }: ProgramRun) => resources.map(({ name }) => name);

describe("a stopped machine", () => {
  it("is stopped without charge; nothing else of the cloud changes", () => {
    const inputs = (run: ProgramRun) => cloudResources(run).map((one) => [one.name, one.inputs] as const);
    const changed = inputs(stopped).filter(
      ([name, now]) => JSON.stringify(now) !== JSON.stringify(new Map(inputs(running)).get(name)),
    );
    expect(changed.map(([name]) => name)).toEqual(["host-instance"]);
    expect(stopped.resource("host-instance").inputs).toEqual({
      ...running.resource("host-instance").inputs,
      status: "Stopped",
      stoppedMode: "StopCharging",
    });
    expect(running.resource("host-instance").inputs).not.toHaveProperty("stoppedMode");
    expect(names(cloudOf(stopped))).toEqual(names(cloudOf(running)));
  });

  it("is neither waited for nor sent a command", () => {
    expect(names(stopped).filter((name) => /-(install|release|reachable)$/.test(name))).toEqual(["host-data-release"]);
    expect(
      names(running)
        .filter((name) => !names(stopped).includes(name))
        .sort(),
    ).toEqual(["auth-release", "docker-install", "edge-release", "host-reachable", "opencode-release"]);
    // What an App that is off left on the host is removed when the machine is awake again.
    const more = stopped.resources.filter(({ name }) => !names(running).includes(name));
    expect(
      more.filter(({ type, name }) => !/:(Compose|Notifier)Stack$/.test(type) && !name.endsWith("-removal")),
    ).toEqual([]);
  });

  it("keeps what removes its stacks and releases its disk, unchanged, so that a destroy is the same", () => {
    for (const name of ["auth-removal", "edge-removal", "opencode-removal", "host-data-release", "host-leftovers"]) {
      expect(stopped.resource(name).inputs).toEqual(running.resource(name).inputs);
      expect(optionsOf(stopped, name).deletedWith).toEqual(optionsOf(running, name).deletedWith);
    }
  });

  it("keeps its address and generated secrets, and says how it comes back", () => {
    const steps = (run: ProgramRun) => JSON.stringify(run.outputs["nextSteps"]?.value);
    const words = "The machine is stopped: pulumi config set power running && pulumi up starts everything again.";
    expect(steps(stopped)).toContain(words);
    expect(steps(running)).not.toContain("stopped");
    const others = Object.entries(stopped.outputs).filter(([name]) => !["nextSteps", "operations"].includes(name));
    expect(running.outputs).toMatchObject(Object.fromEntries(others));
    expect(stopped.outputs["operations"]?.value).toMatchObject({ awake: false });
    expect(running.outputs["operations"]?.value).toMatchObject({ awake: true });
    expect(textOf(stopped.outputs["sshCommand"]?.value)).toContain(`root@${eipAddress}`);
  });
});

describe("another instance type", () => {
  it("changes the machine alone in the cloud, and runs everything on it again", async () => {
    const larger = await runAlicloud({ instanceTypes: '["ecs.t6-c1m2.large"]' });
    const changed = cloudResources(larger).filter(
      ({ name, inputs }) => JSON.stringify(inputs) !== JSON.stringify(running.resource(name).inputs),
    );
    expect(changed.map(({ name }) => name)).toEqual(["host-instance"]);
    expect(larger.resource("host-instance").inputs).toMatchObject({ instanceType: "ecs.t6-c1m2.large" });
    expect(larger.resource("docker-install").inputs["triggers"]).toEqual(["host-instance-id ecs.t6-c1m2.large"]);
    expect(larger.resource("docker-install").inputs["connection"]).toEqual(
      running.resource("docker-install").inputs["connection"],
    );
  });
});

describe("the inputs of", () => {
  it.each([
    ["running", { status: "Running" }],
    ["stopped", { status: "Stopped", stoppedMode: "StopCharging" }],
  ] as const)("power %s", (wanted, inputs) => {
    expect(power(wanted)).toEqual(inputs);
  });

  it.each<[string, Partial<MachineSettings>, ReturnType<typeof charge>]>([
    ["pay as you go", { charge: "payAsYouGo" }, { instanceChargeType: "PostPaid" }],
    [
      "spot up to the usual price",
      { charge: "spot" },
      { instanceChargeType: "PostPaid", spotStrategy: "SpotAsPriceGo" },
    ],
    [
      "spot with a limit",
      { charge: "spot", spotPriceLimitUsd: 0.02 },
      { instanceChargeType: "PostPaid", spotStrategy: "SpotWithPriceLimit", spotPriceLimit: 0.02 },
    ],
    [
      "a subscription that renews itself and can still be deleted",
      { charge: "subscription", subscriptionMonths: 12 },
      {
        instanceChargeType: "PrePaid",
        period: 12,
        periodUnit: "Month",
        forceDelete: true,
        renewalStatus: "AutoRenewal",
        autoRenewPeriod: 1,
      },
    ],
  ])("%s", async (_what, settings, inputs) => {
    const plain = (standIn: boolean) =>
      new Promise((resolve) => {
        pulumi.output(charge({ ...machine, ...settings }, pulumi.output(standIn))).apply(resolve);
      });
    expect(await plain(false)).toEqual(inputs);
    // A spot machine that is paid by the hour for now has no spot market.
    expect(await plain(true)).toEqual(settings.charge === "spot" ? { instanceChargeType: "PostPaid" } : inputs);
  });
});

describe("hostNameOf", () => {
  it.each([
    ["cloudcode-prod", "cloudcode-prod"],
    ["cloudcode-my_stack.v2", "cloudcode-my-stack-v2"],
    ["cloudcode-a__b--c.", "cloudcode-a-b-c"],
    [`cloudcode-${"x".repeat(52)}-y`, `cloudcode-${"x".repeat(52)}`],
    [`cloudcode-${"x".repeat(90)}`, `cloudcode-${"x".repeat(53)}`],
  ])("%s: %s, which the cloud takes", (name, hostName) => {
    expect(hostNameOf(name)).toBe(hostName);
    expect(hostName).toMatch(/^[a-z0-9](-?[a-z0-9])+$/);
    expect(hostName.length).toBeLessThanOrEqual(63);
  });
});

const machine: MachineSettings = {
  power: "running",
  instanceTypes: ["ecs.e-c1m2.large"],
  zones: [],
  diskCategories: ["cloud_essd"],
  image: undefined,
  adopted: undefined,
  systemDiskGiB: 20,
  bandwidthMbps: 20,
  trafficGbPerMonth: 5,
  charge: "payAsYouGo",
  spotPriceLimitUsd: undefined,
  subscriptionMonths: 1,
  budgetUsd: 30,
  budget: undefined,
  protect: false,
  spotFallback: false,
};

function cloudOf(run: ProgramRun): ProgramRun {
  return { ...run, resources: cloudResources(run) };
}
