import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { K3sMachine } from "../support/k3s-machine";

let machine: K3sMachine;
beforeEach(() => {
  machine = new K3sMachine();
});
afterEach(() => {
  machine.destroy();
});

const images = "k3s-airgap-images-amd64.tar.zst";
const starts = () => machine.calls().filter((call) => call.startsWith("systemctl restart"));

describe("a machine without k3s", () => {
  it("gets the pinned files, a service, liteboxd's accounts and a kubeconfig for each", () => {
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect(readFileSync(machine.path("k3s/bin/k3s"))).toEqual(readFileSync(join(machine.mirror, "k3s")));
    expect(statSync(machine.path("k3s/bin/k3s")).mode & 0o777).toBe(0o755);
    expect(machine.text("data/agent/images", images)).toBe(readFileSync(join(machine.mirror, images), "utf8"));
    expect(machine.text("units/cloudcode-k3s.service")).toBe("cloudcode-k3s.service\n");
    const calls = machine.calls();
    expect(calls).toEqual(expect.arrayContaining(["systemctl enable cloudcode-k3s"]));
    expect(machine.text("applied")).toBe("cluster.yaml\n");
    for (const [part, account] of Object.entries({ server: "liteboxd-server", gateway: "liteboxd-gateway" })) {
      const file = machine.path("stack/access", part, "kubeconfig");
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(parse(readFileSync(file, "utf8"))).toEqual({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          { name: "k3s", cluster: { server: "https://10.44.0.1:6443", "certificate-authority-data": "Y2E=" } },
        ],
        users: [{ name: account, user: { token: "token-1" } }],
        contexts: [{ name: "k3s", context: { cluster: "k3s", user: account, namespace: "liteboxd-sandbox" } }],
        "current-context": "k3s",
      });
    }
  });

  it("continues what a broken connection left", () => {
    const whole = readFileSync(join(machine.mirror, images), "utf8");
    machine.put(`k3s/v1/${images}.part`, whole.slice(0, 1000));
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect(machine.text("k3s/v1", images)).toBe(whole);
  });

  it("takes a download that is whole already, without asking for it again", () => {
    machine.put(`k3s/v1/${images}.part`, readFileSync(join(machine.mirror, images), "utf8"));
    writeFileSync(join(machine.mirror, images), "gone");
    expect(machine.ready()).toMatchObject({ status: 0 });
  });

  it.each(["k3s", images])("refuses a %s that is not the pinned one, and keeps nothing of it", (name) => {
    writeFileSync(join(machine.mirror, name), "something else");
    expect(machine.ready()).toMatchObject({
      status: 1,
      said: `cloudcode: file://${machine.mirror}/${name} is not the file of k3s v1 that is pinned: its checksum differs`,
    });
    expect(readdirSync(machine.path("k3s/v1")).filter((file) => file.startsWith(`${name}.`))).toEqual([]);
    expect(starts()).toEqual([]);
  });

  it("says which address does not answer, and which setting names another", () => {
    const { status, said } = machine.ready("file:///nowhere");
    expect([status, said]).toEqual([
      1,
      "cloudcode: file:///nowhere/k3s cannot be downloaded to this machine: set lwsandboxK3sUrl to a folder that holds k3s's files; what arrived is continued next time",
    ]);
  });

  it("is refused where it has a Kubernetes of its own", () => {
    machine.put("units/k3s.service", "[Unit]\n");
    expect(machine.ready()).toMatchObject({
      status: 1,
      said: "cloudcode: this machine already runs a Kubernetes of its own (k3s.service): lwsandbox needs another machine",
    });
    expect(machine.calls()).toEqual([]);
  });

  it("is refused where it is no x86-64", () => {
    machine.install("uname", "#!/bin/sh\necho aarch64\n");
    expect(machine.ready().said).toBe(
      "cloudcode: lwsandbox needs an x86-64 machine: liteboxd has images for no other; this one is aarch64",
    );
  });

  it("whose k3s does not come up is reported with its last words", () => {
    machine.put("broken", "");
    machine.install("journalctl", "#!/bin/sh\necho 'level=fatal msg=\"no room\"'\n");
    expect(machine.ready()).toMatchObject({
      status: 1,
      said: 'cloudcode: k3s did not become ready within 4 s: level=fatal msg="no room"',
    });
  });
});

describe("a machine that is ready", () => {
  beforeEach(() => {
    machine.ready();
    machine.calls();
  });

  it("stays as it is: nothing is downloaded, started or written", () => {
    const before = statSync(machine.path("stack/access/server/kubeconfig")).ino;
    expect(machine.ready("file:///nowhere")).toMatchObject({ status: 0 });
    const calls = machine.calls();
    expect(calls.filter((call) => /^(systemctl restart|docker (?!volume))/.test(call))).toEqual([]);
    expect(statSync(machine.path("stack/access/server/kubeconfig")).ino).toBe(before);
  });

  it.each(["config.yaml", "registries.yaml", "firewall"] as const)("starts k3s again when %s is another", (name) => {
    machine.write(name, "another\n");
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect(starts()).toEqual(["systemctl restart --no-block cloudcode-k3s"]);
    expect(machine.text("k3s", name)).toBe("another\n");
  });

  it("gets a file again that was damaged", () => {
    machine.put("k3s/v1/k3s", "damaged");
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect(machine.text("k3s/v1/k3s")).toBe(readFileSync(join(machine.mirror, "k3s"), "utf8"));
  });

  it("starts a k3s that was stopped", () => {
    machine.put("token", "token-1");
    machine.gone("keep-data");
    machine.calls();
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect(starts()).toHaveLength(1);
  });

  it("gives its cluster, and what that knows it by, to another machine with the same data disk", () => {
    machine.put("data/server/db/state.db", "cluster");
    machine.put("node/password", "password");
    for (const path of ["data", "node", "k3s", "units/cloudcode-k3s.service"])
      rmSync(machine.path(path), { recursive: true });
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect([machine.text("data/server/db/state.db"), machine.text("node/password")]).toEqual(["cluster", "password"]);
  });

  it("hands a cluster's new token to those who run with the old one", () => {
    machine.put("token", "token-2");
    machine.install("docker", '#!/bin/sh\necho "docker $*" >>"$MACHINE/calls"\n[ "$1" != ps ] || echo c1\n');
    expect(machine.ready()).toMatchObject({ status: 0 });
    expect(machine.text("stack/access/gateway/kubeconfig")).toContain("token: token-2");
    expect(machine.calls().filter((call) => /^docker (?!volume)/.test(call))).toEqual([
      "docker ps --quiet --filter label=com.docker.compose.project=cloudcode-lwsandbox",
      "docker restart c1",
    ]);
  });
});
