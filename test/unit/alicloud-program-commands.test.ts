import { textOf } from "../support/plain";
import { type ProgramRun, runAlicloud } from "../support/program";
import { eipAddress } from "../support/provider-answers";
import { optionsOf } from "../support/recorded-options";

let run: ProgramRun;
beforeAll(async () => {
  run = await runAlicloud();
});

const stdinOf = (from: ProgramRun, name: string): unknown => JSON.parse(textOf(from.resource(name).inputs["stdin"]));
const anyText: unknown = expect.any(String);
const quiet = { addPreviousOutputInEnv: false, logging: "none" };

describe("the local commands of the target", () => {
  it.each([
    ["host-placement", "place", "stderr", { ignoreChanges: ["create", "stdin", "logging"] }],
    ["host-type", "choose-type", "none", { dependsOn: ["host-placement"], ignoreChanges: ["create"] }],
    ["host-image", "newest-image", "none", { ignoreChanges: ["create"] }],
  ])("choose: %s", (name, script, logging, options) => {
    expect(run.resource(name).inputs).toEqual({
      create: `node bin/cloudcode-hook.cjs ${script}`,
      stdin: anyText,
      addPreviousOutputInEnv: true,
      logging,
    });
    const { parent, dependsOn, ignoreChanges } = optionsOf(run, name);
    expect({ parent, dependsOn, ignoreChanges }).toEqual({ parent: "home", ...options });
  });

  it("ask for a type where the host is, with what disks it has", () => {
    expect(stdinOf(run, "host-type")).toMatchObject({
      zones: ["ap-southeast-1a"],
      diskCategories: ["cloud_essd_entry"],
      first: { zoneId: "ap-southeast-1a", instanceType: "ecs.e-c1m2.large", diskCategory: "cloud_essd_entry" },
    });
  });

  it("look for no image where one is set", async () => {
    const image = "debian_12_x64_20G_alibase_20260912.vhd";
    const own = await runAlicloud({ hostImage: image }, { account: { images: [image] } });
    expect(own.resources.map(({ name }) => name)).not.toContain("host-image");
    expect(own.resource("host-instance").inputs).toMatchObject({ imageId: image });
  });

  it("list what is left when all else is deleted, and say it", () => {
    const { inputs, options } = run.resource("host-leftovers");
    expect(inputs).toEqual({
      delete: "node bin/cloudcode-hook.cjs leftovers",
      stdin: JSON.stringify({ region: "ap-southeast-1", tags: { project: "cloudcode", stack: "test" } }),
      addPreviousOutputInEnv: false,
      logging: "stdout",
    });
    expect(options.customTimeouts).toMatchObject({ delete: "45m" });
    const cloud = run.resources.filter(({ type }) => type.startsWith("alicloud:"));
    for (const { name } of cloud) expect(reaches(name, "host-leftovers")).toBe(true);
  });

  it("release the data disk before disk or address leave the machine, and wait little for one that is silent", () => {
    const { inputs, secretInputs } = run.resource("host-data-release");
    expect(inputs).toEqual({
      delete: anyText,
      stdin: anyText,
      triggers: ["host-data-attachment-id", "host-address-association-id"],
      ...quiet,
    });
    // On that very machine: the next one has its address and host key.
    expect(inputs["delete"]).toMatch(
      /^\(exec node bin\/cloudcode-hook\.cjs reach 'id=\$\(cat \/var\/lib\/cloud\/data\/instance-id .*\); \[ "\$\{id:-host-instance-id\}" = host-instance-id \] \|\| exit 0; docker ps .*'\) \|\| true$/,
    );
    expect(inputs["delete"]).toContain("systemctl stop cloudcode-data-disk");
    expect(secretInputs).toEqual(["stdin"]);
    expect(stdinOf(run, "host-data-release")).toMatchObject({ address: eipAddress, user: "root", seconds: 30 });
    expect(optionsOf(run, "host-data-release")).toMatchObject({ deleteBeforeReplace: true });
    expect(optionsOf(run, "host-data-release").deletedWith).toBeUndefined();
    for (const tie of ["host-data-attachment", "host-address-association"])
      expect(reaches("host-data-release", tie)).toBe(true);
  });

  it("take the cloud's protection from a machine before that one is deleted", () => {
    const { inputs } = run.resource("host-unprotection");
    expect(inputs).toEqual({
      delete: "node bin/cloudcode-hook.cjs unprotect",
      stdin: JSON.stringify({ region: "ap-southeast-1", instanceId: "host-instance-id" }),
      addPreviousOutputInEnv: false,
      logging: "stdout",
    });
    expect(optionsOf(run, "host-unprotection").replaceOnChanges).toContain("stdin");
    expect(optionsOf(run, "host-unprotection").deletedWith).toBeUndefined();
    expect(reaches("host-unprotection", "host-instance")).toBe(true);
  });

  it("free the address after its machine let go of it and before it is released", () => {
    const { inputs } = run.resource("host-address-unbinding");
    expect(inputs).toEqual({
      delete: "node bin/cloudcode-hook.cjs unbind-address",
      stdin: JSON.stringify({ region: "ap-southeast-1", allocationId: "host-address-id" }),
      addPreviousOutputInEnv: false,
      logging: "stdout",
    });
    expect(reaches("host-address-association", "host-address-unbinding")).toBe(true);
    expect(reaches("host-address-unbinding", "host-address")).toBe(true);
  });

  it("wait for the machine once it has its disk and its address, and again when it is another one", () => {
    const { inputs, options } = run.resource("host-reachable");
    expect(inputs).toEqual({
      create: "exec node bin/cloudcode-hook.cjs reach true",
      stdin: anyText,
      triggers: ["host-instance-id ecs.e-c1m2.large"],
      ...quiet,
    });
    expect(stdinOf(run, "host-reachable")).toMatchObject({
      address: eipAddress,
      port: 22,
      user: "root",
      seconds: 600,
      hostKey: (run.resource("host-host-key").outputs["publicKeyOpenssh"] ?? "").trim(),
    });
    expect(options.customTimeouts).toMatchObject({ create: "660s", update: "660s" });
    for (const tie of ["host-data-attachment", "host-address-association"])
      expect(reaches("host-reachable", tie)).toBe(true);
  });

  it("wait as long as hostWaitSeconds says", async () => {
    const patient = await runAlicloud({ hostWaitSeconds: "90" });
    expect(stdinOf(patient, "host-reachable")).toMatchObject({ seconds: 90 });
  });
});

describe("what lives on the machine", () => {
  const releases = ["auth-release", "docker-install", "edge-release", "opencode-release"];

  it("runs again on another machine, and goes with it without a connection", () => {
    for (const name of releases) {
      expect(run.resource(name).inputs["triggers"]).toEqual(["host-instance-id ecs.e-c1m2.large"]);
      expect(optionsOf(run, name)).toMatchObject({ deletedWith: "host-instance" });
      expect(reaches(name, "host-reachable")).toBe(true);
    }
    for (const name of ["auth-removal", "edge-removal", "opencode-removal"])
      expect(optionsOf(run, name)).toMatchObject({ deletedWith: "host-instance" });
  });

  it("is reached as root at the public address with the login key that the machine was made with", () => {
    const login = run.resource("host-login-key").outputs;
    expect(stdinOf(run, "docker-install")).toMatchObject({
      address: eipAddress,
      port: 22,
      user: "root",
      privateKey: login["privateKeyOpenssh"],
      hostKey: (run.resource("host-host-key").outputs["publicKeyOpenssh"] ?? "").trim(),
    });
    expect(run.resource("host-key-pair").inputs["publicKey"]).toBe((login["publicKeyOpenssh"] ?? "").trim());
  });
});

describe("what is protected", () => {
  it("can be kept without the machine by destroy --exclude-protected, which keeps all that it depends on", () => {
    const kept = run.resources.filter(({ name }) => optionsOf(run, name).protect).map(({ name }) => name);
    expect(kept.sort()).toEqual(["auth-encryption-key", "host-data-disk"]);
    for (const name of kept)
      for (const other of ["host-instance", "host-address", "docker-install", "auth-release"])
        expect([name, other, reaches(name, other)]).toEqual([name, other, false]);
    expect(reaches("auth-release", "docker-install")).toBe(true);
  });
});

describe("the outputs", () => {
  it("hold the price of the choice that was made, and a name of the public address", () => {
    const cost = run.outputs["monthlyCost"];
    expect(cost?.secret).toBe(false);
    // 730 x 0.0356 + 40 x 0.0775 + 20 x 0.01715 + 5 x 0.081; stopped 40 x 0.0775 + 20 x 0.01715 + 730 x 0.006.
    expect(cost?.value).toEqual({ currency: "USD", running: 29.84, stopped: 7.82, notCounted: [] });
    expect(run.outputs["url"]?.value).toBe(`https://${eipAddress.replaceAll(".", "-")}.sslip.io`);
  });

  it("open a shell with the pinned key", () => {
    const command = textOf(run.outputs["sshCommand"]?.value);
    expect(command).toContain(`-p 22 root@${eipAddress}`);
    expect(command).toContain((run.resource("host-host-key").outputs["publicKeyOpenssh"] ?? "").trim());
  });
});

/** Whether a resource is made after another, so that a destroy takes it first. */
function reaches(from: string, to: string): boolean {
  const { dependsOn = [], parent } = optionsOf(run, from);
  const next = [...dependsOn, ...(parent === undefined ? [] : [parent])].filter((name) => name !== from);
  return next.includes(to) || next.some((name) => run.resources.some((one) => one.name === name) && reaches(name, to));
}
