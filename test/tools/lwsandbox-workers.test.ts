import { isIP } from "node:net";
import fc from "fast-check";
import { knownHost, knownHostLine } from "../../components/settings/checks";
import { K3sMachine } from "../support/k3s-machine";
import { hostKey, minimalAlicloud } from "../support/minimal";
import { runAlicloud, runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { faultsOf } from "../support/settings";

const on = { lwsandboxEnabled: "true" };
const hosts = (...lines: readonly string[]) => ({ ...on, lwsandboxWorkerHosts: JSON.stringify(lines) });
const big = { ...on, instanceTypes: '["ecs.e-c1m4.large"]', budgetUsd: "1000" };

describe("the settings of workers", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["two machines", hosts(`203.0.113.8 ${hostKey}`, `[203.0.113.9]:2222 ${hostKey}`), []],
    [
      "the host itself, and one twice",
      hosts(`203.0.113.7 ${hostKey}`, `203.0.113.8 ${hostKey}`, `[203.0.113.8]:2222 ${hostKey}`),
      [
        "lwsandboxWorkerHosts names 203.0.113.8 twice",
        "lwsandboxWorkerHosts names 203.0.113.7, which is the host itself",
      ],
    ],
    [
      "a name and half a key",
      hosts("worker.example.com ssh-ed25519 AAAA"),
      [
        "lwsandboxWorkerHosts [0] does not begin with an IPv4 address",
        "lwsandboxWorkerHosts [0] does not contain a key of its type; is it complete?",
      ],
    ],
    [
      "a number, as for the cloud",
      { ...on, lwsandboxWorkers: "2", lwsandboxWorkerType: "ecs.g7.large" },
      [
        "lwsandboxWorkers has no effect with the target existing: list the machines in lwsandboxWorkerHosts",
        "lwsandboxWorkerType has no effect with the target existing",
      ],
    ],
    [
      "a host by name",
      { ...hosts(`203.0.113.8 ${hostKey}`), hostAddress: "host.example.com", domain: "home.example.com" },
      ["hostAddress is not an IPv4 address, which lwsandbox's workers need"],
    ],
  ])("on existing machines: %s", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ["a number", { ...big, lwsandboxWorkers: "2" }, []],
    [
      "a list",
      { ...big, ...hosts(`203.0.113.8 ${hostKey}`) },
      ["lwsandboxWorkerHosts has no effect with the target alicloud: set lwsandboxWorkers"],
    ],
    [
      "a type of none",
      { ...big, lwsandboxWorkerType: "ecs.g7.large" },
      ["lwsandboxWorkerType has no effect while lwsandboxWorkers is 0"],
    ],
  ])("on Alibaba Cloud: %s", (_name, settings, faults) => {
    expect(faultsOf(settings, minimalAlicloud)).toEqual(faults);
  });

  it("a line is taken exactly when its address, port and key are", () => {
    const address = fc.oneof(fc.ipV4(), fc.domain(), fc.string());
    fc.assert(
      fc.property(address, fc.option(fc.integer({ min: 0, max: 70_000 })), (host, port) => {
        const line = `${port === null ? host : `[${host}]:${port}`} ${hostKey}`;
        const valid = isIP(host) === 4 && (port === null || (port > 0 && port < 65_536));
        expect(knownHostLine.safeParse(line).success).toBe(valid);
        if (valid) expect(knownHost(line)).toEqual({ address: host, port: port ?? 22, hostKey });
      }),
    );
  });
});

describe("the program", () => {
  it("lets each machine in after the cluster is there, and its agent join with what that gave", async () => {
    const run = await runProgram(hosts(`203.0.113.8 ${hostKey}`));
    const name = "worker-203-0-113-8";
    const membership = run.resource(`${name}-membership`);
    expect(membership.inputs["create"]).toContain(`worker.sh admit ${name} 203.0.113.8`);
    expect(membership.inputs["delete"]).toContain(`worker.sh dismiss ${name}`);
    // What undoes each step is in the state before the step is begun, which may be cut off.
    const dismissal = run.resource(`${name}-dismissal`);
    expect(dismissal.inputs["delete"]).toContain(`worker.sh dismiss ${name}`);
    expect(membership.options.dependsOn).toContain(dismissal.urn);
    expect(dismissal.options.dependsOn).toContain(run.resource(`${name}-removal`).urn);
    expect(run.resource(`${name}-removal`).inputs["delete"]).toContain("gone.sh delete-data");
    expect(run.resource(`${name}-agent`).inputs["create"]).toMatch(
      new RegExp(`agent.sh" ${name} 203.0.113.7 203.0.113.8 \\S+`),
    );
  });

  it("has each install its security updates by itself, as the host does", async () => {
    const run = await runProgram({ ...hosts(`203.0.113.8 ${hostKey}`), updateRebootTime: "04:30" });
    const upkeep = await arrivedFiles(run, "worker-203-0-113-8-upkeep");
    expect([...upkeep.keys()].filter((name) => !/^\d-/.test(name)).sort()).toEqual(
      ["apt.sh", "complete", "plan", "secrets", "settings.sh", "transaction.sh", "updates.sh", "upkeep.sh"].sort(),
    );
    expect(upkeep.get("settings.sh")?.content).toMatch(/^automatic_updates=true\nreboot_time=04:30\n/);
    const host = await arrivedFiles(run, "docker-install");
    // The look at a machine, without what is of Docker and the edge, and before k3s.
    for (const part of ["1-begin.sh", "2-system.sh", "3-storage.sh", "4-packages.sh", "7-access.sh", "8-end.sh"])
      expect(upkeep.get(part)?.content).toBe(host.get(`look/${part}`)?.content);
    expect(run.resource("worker-203-0-113-8-agent").options.dependsOn).toContain(
      run.resource("worker-203-0-113-8-upkeep").urn,
    );
    expect(upkeep.get("updates.sh")?.content).toBe(host.get("updates.sh")?.content);
  });

  it("makes as many instances as asked for, with an address of their own and no disk, and none while lwsandbox is off", async () => {
    const instances = async (settings: Record<string, string>) =>
      (await runAlicloud({ ...big, ...settings })).resources
        .filter(({ type }) => type === "alicloud:ecs/instance:Instance")
        .map(({ name }) => name);
    expect(await instances({ lwsandboxWorkers: "2" })).toEqual([
      "host-instance",
      "worker-1-instance",
      "worker-2-instance",
    ]);
    expect(await instances({ lwsandboxWorkers: "2", lwsandboxEnabled: "false" })).toEqual(["host-instance"]);
    const { inputs } = (
      await runAlicloud({ ...big, lwsandboxWorkers: "1", lwsandboxWorkerType: "ecs.g7.large" })
    ).resource("worker-1-instance");
    expect(inputs).toMatchObject({ instanceType: "ecs.g7.large", internetChargeType: "PayByTraffic" });
    expect(inputs["internetMaxBandwidthOut"]).toBeGreaterThan(0);
  });
});

describe("the scripts", () => {
  let machine: K3sMachine;
  beforeEach(() => {
    machine = new K3sMachine();
    machine.install("ip", '#!/bin/sh\necho "2: eth1    inet 192.0.2.8/24 brd 192.0.2.255 scope global eth1"\n');
  });
  afterEach(() => {
    machine.destroy();
  });
  const join = (admission = "a1", address = "192.0.2.8") =>
    machine.agent(["worker-1", "192.0.2.7", address, admission], "K10abc::node:secret");
  const restarts = () => machine.calls().filter((call) => call.startsWith("systemctl restart"));

  it("an agent gets its server, its name and its address", () => {
    expect(join()).toMatchObject({ status: 0, printed: expect.stringContaining("worker-1 is a worker") as string });
    expect(machine.text("k3s/config.yaml")).toBe(
      ["server: https://192.0.2.7:6443", `token-file: ${machine.path("k3s/token")}`, "node-name: worker-1"].join("\n") +
        `\nnode-ip: 192.0.2.8\nprivate-registry: ${machine.path("k3s/registries.yaml")}\n`,
    );
    expect(machine.text("k3s/token")).toBe("K10abc::node:secret");
    machine.calls();
    expect(join()).toMatchObject({ status: 0 });
    expect(restarts()).toEqual([]);
    join("a2");
    expect(restarts()).toHaveLength(1);
  });

  it("a machine that does not hold its address is refused, and so is a host", () => {
    expect(join("a1", "203.0.113.8").said).toMatch(/^cloudcode: this machine does not hold the address 203.0.113.8/);
    machine.put("bin-of-a-host/cloudcode-host", "");
    expect(join().said).toMatch(/is a host of cloudcode itself/);
    expect(restarts()).toEqual([]);
  });

  it("a host with workers has a token for agents alone, which stays, and says where they reach it", () => {
    const among = () => machine.ready(undefined, "workers=yes\nnode_address=192.0.2.8\n");
    expect(among()).toMatchObject({ status: 0 });
    const token = machine.text("volume/agent-token");
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(machine.text("k3s/config.yaml")).toBe(
      `config.yaml\nnode-ip: 192.0.2.8\nflannel-backend: wireguard-native\nagent-token-file: ${machine.path("volume/agent-token")}\n`,
    );
    machine.calls();
    expect(among()).toMatchObject({ status: 0 });
    expect(restarts()).toEqual([]);
    expect(machine.text("volume/agent-token")).toBe(token);
    expect(machine.ready(undefined, "workers=yes\nnode_address=203.0.113.7\n").said).toMatch(
      /does not hold the address/,
    );
  });

  it("admits with the token alone on its output, and dismisses after draining", () => {
    machine.ready(undefined, "workers=yes\nnode_address=192.0.2.8\n");
    machine.put("data/server/agent-token", "K10abc::node:secret\n");
    machine.calls();
    expect(machine.worker("admit", "worker-1", "192.0.2.9")).toMatchObject({
      status: 0,
      printed: "K10abc::node:secret\n",
    });
    expect(machine.text("k3s/workers/worker-1")).toBe("192.0.2.9\n");
    expect(machine.worker("token", "worker-1").printed).toBe("K10abc::node:secret\n");
    machine.calls();
    expect(machine.worker("dismiss", "worker-1")).toMatchObject({ status: 0, printed: "" });
    const acts = machine
      .calls()
      .flatMap((call) => / (drain|delete node|delete secret) (\S+)/.exec(call)?.slice(1, 3) ?? []);
    expect(acts).toEqual([
      "drain",
      "worker-1",
      "delete node",
      "worker-1",
      "delete secret",
      "worker-1.node-password.k3s",
    ]);
    expect(() => machine.text("k3s/workers/worker-1")).toThrow("ENOENT");
    expect(machine.worker("dismiss", "worker-1")).toMatchObject({ status: 0 });
  });
});
