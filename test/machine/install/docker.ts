import type { Scene } from "./scene";

/** What stands in daemon.json and what it does to Docker and to the containers of others. */
export function dockerStep(scene: () => Scene): void {
  const words = (script: string) => scene().machine.words(script);
  const daemonJson = async () => JSON.parse(await words("cat /etc/docker/daemon.json")) as Record<string, unknown>;
  const dropIn = "/etc/systemd/system/docker.service.d/neighbour.conf";
  afterEach(() => words(`rm -f ${dropIn}; systemctl daemon-reload`));
  afterAll(() => scene().daemon(undefined));

  it.each([
    ["nothing", undefined],
    ["options of the log driver that is Docker's default", { "log-opts": { tag: "{{.Name}}", "max-size": "50m" } }],
    ["another log driver and its options", { "log-driver": "journald", "log-opts": { tag: "{{.Name}}" } }],
    ["live-restore switched off", { "live-restore": false, "insecure-registries": ["registry.example.com:5000"] }],
  ])("with %s in daemon.json: Docker runs, with ours, and the neighbour's container runs on", async (_name, json) => {
    await scene().daemon(json);
    const before = await scene().neighbour();
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(await words("systemctl is-active docker; docker info --format '{{.LiveRestoreEnabled}}'")).toBe(
      "active\ntrue",
    );
    expect(await scene().neighbours()).toBe(before);
    expect(await daemonJson()).toMatchObject({ ...json, "live-restore": true });
    // Every log is bounded, with any driver.
    await words("docker run -d --name logs still sleep 1");
    expect(
      await words("docker inspect --format '{{json .HostConfig.LogConfig}}' logs; docker rm -f logs >/dev/null"),
    ).toMatch(/max-size|journald/);
  });

  it("a key that dockerd's command line has is not given twice", async () => {
    await words(
      `mkdir -p ${dropIn.replace(/\/[^/]*$/, "")}; exec=$(systemctl cat docker | sed -n 's/^ExecStart=//p' | tail -n 1)
       printf '[Service]\\nExecStart=\\nExecStart=%s\\n' "$exec --log-driver=json-file --log-opt max-size=7m" >${dropIn}; systemctl daemon-reload`,
    );
    await scene().daemon(undefined);
    const before = await scene().neighbour();
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(Object.keys(await daemonJson())).toEqual(["default-address-pools", "live-restore"]);
    expect(await scene().neighbours()).toBe(before);
  });

  it("in swarm mode: Docker goes on, without live-restore, and so does the neighbour's container", async () => {
    await scene().daemon(undefined);
    await words("docker swarm init --advertise-addr 127.0.0.1");
    const before = await scene().neighbour();
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(await words("docker info --format '{{.Swarm.LocalNodeState}}'")).toBe("active");
    expect(await scene().neighbours()).toBe(before);
    expect(await daemonJson()).not.toHaveProperty("live-restore");
    await words("systemctl restart docker");
    expect(await words("docker info --format '{{.Swarm.LocalNodeState}}'")).toBe("active");
    await words("docker swarm leave --force");
  });

  it("in swarm mode, kept from starting by the live-restore of an earlier release, runs again", async () => {
    await scene().daemon(undefined);
    await words("docker swarm init --advertise-addr 127.0.0.1");
    await words(
      `echo '{"live-restore": true}' >/etc/docker/daemon.json; systemctl restart docker
       systemctl stop docker.socket docker; systemctl reset-failed docker`,
    );
    expect(await words("systemctl is-active docker")).toBe("inactive");
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(await words("docker info --format '{{.Swarm.LocalNodeState}}'; docker swarm leave --force >/dev/null")).toBe(
      "active",
    );
  });

  it("that does not start with the new file has the old one back, byte for byte, and the cause is reported", async () => {
    await scene().daemon({ "max-concurrent-downloads": 2 });
    await words(
      `mkdir -p ${dropIn.replace(/\/[^/]*$/, "")}; systemctl daemon-reload
       printf '[Service]\\nExecStartPre=/bin/sh -c "! grep -q 10.201 /etc/docker/daemon.json || { echo this address pool is poison >&2; exit 1; }"\\n' >${dropIn}; systemctl daemon-reload`,
    );
    const files = await scene().files();
    const before = await scene().neighbour();
    const { ok, said } = await scene().install();
    expect(ok).toBe(false);
    expect(said.split("\n")[0]).toBe(
      "cloudcode: Docker did not start with the new /etc/docker/daemon.json, and the previous file is restored: this address pool is poison",
    );
    expect(await scene().files()).toBe(files);
    expect(await words("systemctl is-active docker; docker info --format '{{.LiveRestoreEnabled}}'")).toBe(
      "active\nfalse",
    );
    expect(await scene().neighbours()).toBe(before);
  });

  it("gives back what it had replaced when a setting goes, and keeps what others set meanwhile", async () => {
    await scene().daemon({ dns: ["192.0.2.53"], "registry-mirrors": ["https://neighbour.example.com"] });
    const set = { dockerDns: '["192.0.2.1"]', registryMirrors: '["https://mirror.example.com"]' };
    expect(await scene().install(set)).toMatchObject({ ok: true });
    expect(await daemonJson()).toMatchObject({
      dns: ["192.0.2.1"],
      "registry-mirrors": ["https://mirror.example.com", "https://neighbour.example.com"],
    });
    await words("jq '.debug = true' /etc/docker/daemon.json >/tmp/d && cat /tmp/d >/etc/docker/daemon.json");
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(await daemonJson()).toMatchObject({
      dns: ["192.0.2.53"],
      "registry-mirrors": ["https://neighbour.example.com"],
      debug: true,
    });
  });
}
