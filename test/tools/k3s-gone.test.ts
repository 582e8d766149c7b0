import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { K3sMachine } from "../support/k3s-machine";

let machine: K3sMachine;
beforeEach(() => {
  machine = new K3sMachine();
  // Docker's rules and k3s's side by side, in the words of the real programs.
  machine.install("iptables-save", `#!/bin/sh\ncat <<'END'\n${rules}END\n`);
  machine.install("ip6tables-save", "#!/bin/sh\n");
  for (const name of ["iptables", "ip6tables"])
    machine.install(`${name}-restore`, `#!/bin/sh\n{ echo "$*"; cat; } >"$MACHINE/${name}-restored"\n`);
  machine.put("mounts", `/dev/vda / ext4 rw 0 0\nshm ${machine.path("run/k3s")}/pod/shm tmpfs rw 0 0\n`);
  machine.ready();
  for (const path of ["data/server/db/state.db", "node/password", "kubelet/pods/p"]) machine.put(path, "x");
  machine.calls();
});
afterEach(() => {
  machine.destroy();
});

const rules = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:CLOUDCODE-K3S - [0:0]
:CLOUDCODE-SSH - [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:FLANNEL-FWD - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-ROUTER-INPUT - [0:0]
-A INPUT -p udp -m udp --dport 8472 -j CLOUDCODE-K3S
-A INPUT -m comment --comment "kube-router netpol - 4IA2OSFRMVNDXBVV" -j KUBE-ROUTER-INPUT
-A INPUT -p tcp -m tcp --dport 22 -j CLOUDCODE-SSH
-A FORWARD -j DOCKER-USER
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A FORWARD -i cni0 -j ACCEPT
-A CLOUDCODE-K3S -i lo -j RETURN
-A DOCKER-USER -d 169.254.0.0/16 -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:CNI-0123 - [0:0]
:DOCKER - [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -m comment --comment "name: cbr0" -j CNI-0123
-A CNI-0123 -j ACCEPT
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
COMMIT
`;

it("k3s is stopped, its pods are killed, and Docker's rules are not even written again", () => {
  expect(machine.gone("keep-data")).toMatchObject({ status: 0, said: "" });
  expect(machine.calls().filter((call) => !call.startsWith("systemctl is-active"))).toEqual([
    "systemctl disable --now cloudcode-k3s",
    "umount /run/k3s/pod/shm",
    "ip netns list",
    "ip link delete cni0",
    "ip link delete flannel.1",
    "ip link delete flannel-wg",
    "systemctl daemon-reload",
  ]);
  expect(machine.text("iptables-restored")).toBe(`--noflush --wait
*filter
-F CLOUDCODE-K3S
-F FLANNEL-FWD
-F KUBE-FORWARD
-F KUBE-ROUTER-INPUT
-D INPUT -p udp -m udp --dport 8472 -j CLOUDCODE-K3S
-D INPUT -m comment --comment "kube-router netpol - 4IA2OSFRMVNDXBVV" -j KUBE-ROUTER-INPUT
-D FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-X CLOUDCODE-K3S
-X FLANNEL-FWD
-X KUBE-FORWARD
-X KUBE-ROUTER-INPUT
COMMIT
*nat
-F CNI-0123
-D POSTROUTING -m comment --comment "name: cbr0" -j CNI-0123
-X CNI-0123
COMMIT
`);
  expect(machine.text("ip6tables-restored")).toBe("--noflush --wait\n");
});

it.each([
  ["keep-data", true],
  ["delete-data", false],
] as const)("with %s the state of the cluster is there afterwards: %s; programs and service are gone", (word, kept) => {
  machine.gone(word);
  const left = (path: string) => existsSync(machine.path(path));
  expect([left("data/server/db/state.db"), left("node/password")]).toEqual([kept, kept]);
  expect([left("k3s"), left("units/cloudcode-k3s.service"), left("kubelet")]).toEqual([false, false, false]);
});

it("every process of a pod is killed, and no other", async () => {
  const [pod, other] = [spawn("sleep", ["60"]), spawn("sleep", ["60"])];
  const ended = new Promise((resolve) =>
    pod.once("exit", (_code, signal) => {
      resolve(signal);
    }),
  );
  machine.put("cgroups/pids/kubepods/pod1/cgroup.procs", `${pod.pid ?? 0}\n`);
  machine.put("cgroups/pids/system.slice/docker.service/cgroup.procs", `${other.pid ?? 0}\n`);
  machine.gone("keep-data");
  expect(await ended).toBe("SIGKILL");
  expect(other.exitCode ?? other.signalCode).toBeNull();
  other.kill();
});

it("may be done twice", () => {
  machine.gone("keep-data");
  expect(machine.gone("keep-data").status).toBe(0);
});

it("says by its exit code where k3s would not stop", () => {
  machine.install("systemctl", "#!/bin/sh\n");
  expect(machine.gone("keep-data").status).toBe(1);
});
