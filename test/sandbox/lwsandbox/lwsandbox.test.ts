import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { k3sNetwork, k3sRelease, k3sUrl } from "../../../components/apps/k3s";
import { resolveImages } from "../../../components/images";
import { renderRelease } from "../../../components/stack/release";
import { openExisting } from "../../../sandbox/existing";
import { folderOf, projectRoot } from "../../../sandbox/folder";
import { ensureDocker } from "../../../sandbox/host/docker";
import { run } from "../../../cli/run";
import { say } from "../../../cli/say";
import { originOfParts, removeSandbox } from "../../../sandbox/sandbox";
import { k3sFiles } from "./k3s-files";
import { answering } from "./liteboxd";

// What lwsandbox does with a machine, on a real one next to a real Docker, with real Kubernetes instead of k3s. The first
// run builds that.
jest.setTimeout(25 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "lwsandbox";
const stack = "/opt/cloudcode/stacks/lwsandbox";
let onHost: (script: string) => Promise<string>;
let address = "";

beforeAll(async () => {
  await removeSandbox(name, say);
  await ensureDocker(say);
  mkdirSync(folderOf(name), { recursive: true, mode: 0o700 });
  const ground = await openExisting(name, say);
  address = ground.host.address;
  onHost = async (script) => (await ground.exec(["sh", "-c", script])).stdout.trim();
  await onHost(
    "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends docker.io docker-cli iptables ipset iproute2 curl busybox-static >/dev/null",
  );
  await bringFiles();
  await onHost(`docker network create --subnet ${k3sNetwork.controlSubnet} --gateway ${k3sNetwork.apiAddress} -o com.docker.network.bridge.name=${k3sNetwork.bridge} control
    docker network create other
    mkdir -p /srv/image/bin && cp /bin/busybox /srv/image/bin/ && for tool in sh wget nc nslookup httpd; do ln -sf busybox /srv/image/bin/$tool; done
    tar -C /srv/image -c . | docker import - busybox
    docker run --detach --name web --network other busybox httpd -f -p 8000 -h /bin
    for n in $(seq 100); do docker exec web wget -qO /dev/null http://127.0.0.1:8000/busybox && exit; sleep 0.2; done; exit 1`);
});

afterAll(() => removeSandbox(name, say));

/** The two files that the machine downloads, and the scripts of the release. */
async function bringFiles(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lwsandbox-"));
  try {
    const files = join(folder, "k3s");
    mkdirSync(files);
    const standIn = (await originOfParts(true)) === "stand-in";
    const k3s = standIn
      ? { ...(await k3sFiles(files, say)), url: "file:///srv/k3s" }
      : { ...k3sRelease, url: k3sUrl(k3sRelease.version) };
    const values = {
      images: resolveImages({}),
      timeZone: "UTC",
      network: "edge",
      registryMirrors: [],
      url: "https://sandbox.example.com",
      adminUsername: "admin",
      sessionMaxAge: "86400",
      k3s: { ...k3s, ...k3sNetwork },
    };
    const source = { template: "lwsandbox", values, plan: { networks: [] } };
    const release = renderRelease(join(projectRoot, "stack-templates"), source, { adminPassword: "x" }, "key");
    for (const { path, content } of release.files.filter((file) => file.path.startsWith("host/"))) {
      const file = join(folder, path.replace(/^host/, "machine"));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    await onHost(`mkdir -p ${stack} /srv`);
    await run("docker", ["cp", files, `cloudcode-${name}:/srv/`]);
    await run("docker", ["cp", join(folder, "machine"), `cloudcode-${name}:${stack}/`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const kubectl = (part: "server" | "gateway", words: string) =>
  onHost(`/opt/cloudcode/k3s/bin/k3s kubectl --kubeconfig ${stack}/access/${part}/kubeconfig ${words}`);
const ready = () => onHost(`sh ${stack}/machine/ready.sh ${stack} 2>&1 | tail -n 1`);
const rulesOfK3s =
  "for t in filter nat mangle raw; do iptables -t $t -S; ip6tables -t $t -S; done | grep -cE 'KUBE|K3S' || true";
const manifest = (podName: string, privileged: boolean) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: podName, labels: { app: "liteboxd" } },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        { name: "main", ...answering, securityContext: { privileged, allowPrivilegeEscalation: privileged } },
      ],
    },
  });

/** Whether a container on the Docker network, or `pod`, opens a TCP connection. */
async function reaches(from: string, host: string, port: number): Promise<boolean> {
  const probe =
    from === "pod"
      ? `timeout 3 ip netns exec "$(ip netns list | awk '/^cni/ { print $1; exit }')" bash -c 'exec 3<>/dev/tcp/${host}/${port}'`
      : `docker run --rm --network ${from} busybox sh -c 'busybox nc -w 3 ${host} ${port} </dev/null'`;
  return (await onHost(`${probe} >/dev/null 2>&1 && echo open || echo shut`)) === "open";
}

describe("k3s beside Docker", () => {
  test("is installed and ready, and a second run changes nothing", async () => {
    expect(await ready()).toBe("k3s v1.34.2+k3s1 is ready");
    const main = await onHost("systemctl show -p MainPID --value cloudcode-k3s");
    expect(await ready()).toBe("k3s v1.34.2+k3s1 is ready");
    expect(await onHost("systemctl show -p MainPID --value cloudcode-k3s")).toBe(main);
  });

  test.each([
    ["create pods", "yes", "no"],
    ["create pods/exec", "yes", "no"],
    ["list nodes", "yes", "yes"],
    ["get secrets", "no", "no"],
    ["get pods --subresource=proxy", "no", "no"],
    ["create pods -n kube-system", "no", "no"],
    ["get secrets -n liteboxd-system", "no", "no"],
    ["create clusterrolebindings", "no", "no"],
    ["delete nodes", "no", "no"],
  ])("%s: the server %s, the gateway %s", async (words, server, gateway) => {
    expect(await kubectl("server", `auth can-i ${words} 2>/dev/null || true`)).toBe(server);
    expect(await kubectl("gateway", `auth can-i ${words} 2>/dev/null || true`)).toBe(gateway);
  });

  test("a privileged pod is refused, a sandbox runs", async () => {
    const create = (pod: string) =>
      onHost(
        `printf %s '${pod}' | /opt/cloudcode/k3s/bin/k3s kubectl --kubeconfig ${stack}/access/server/kubeconfig create -f - 2>&1 || true`,
      );
    expect(await create(manifest("bad", true))).toMatch(/privileged/);
    expect(await create(manifest("sandbox-1", false))).toBe("pod/sandbox-1 created");
    const deny = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "default-deny-all" } };
    const spec = { podSelector: { matchLabels: { app: "liteboxd" } }, policyTypes: ["Ingress", "Egress"] };
    expect(await create(JSON.stringify({ ...deny, spec }))).toContain("created");
    await kubectl("server", "wait --for condition=Ready --timeout 300s pod/sandbox-1");
    // The rules follow the policy within a moment.
    await onHost("sleep 5");
  });

  test("only the gateway's network reaches a sandbox, and k3s itself; also of networks made later", async () => {
    const pod = await kubectl("gateway", "get pod sandbox-1 -o 'jsonpath={.status.podIP}'");
    await onHost("docker network create late");
    expect(await reaches("control", pod, 3000)).toBe(true);
    expect(await reaches("control", k3sNetwork.apiAddress, 6443)).toBe(true);
    for (const network of ["other", "late", "bridge"]) {
      expect([network, await reaches(network, pod, 3000)]).toEqual([network, false]);
      expect([network, await reaches(network, address, 6443)]).toEqual([network, false]);
    }
    expect(await reaches("other", "10.43.0.1", 443)).toBe(false);
    for (const port of [6443, 10250, 10256]) {
      const open = await run("sh", [
        "-c",
        `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null || echo shut`,
      ]);
      expect([port, open.stdout.trim()]).toEqual([port, "shut"]);
    }
  });

  test("a sandbox reaches no container, not k3s and not the machine", async () => {
    const web = await onHost("docker inspect -f '{{.NetworkSettings.Networks.other.IPAddress}}' web");
    for (const [host, port] of [
      [web, 8000],
      [k3sNetwork.apiAddress, 6443],
      [address, 22],
    ] as const)
      expect([host, await reaches("pod", host, port)]).toEqual([host, false]);
  });

  test("Docker's containers still find names", async () => {
    expect(await onHost("docker run --rm --network other busybox nslookup web | grep -c 'Name:.*web'")).toBe("1");
  });

  test("is taken away without a trace in the packet filter, and comes back with its state", async () => {
    expect(Number(await onHost(rulesOfK3s))).toBeGreaterThan(20);
    const docker = await onHost("iptables -S | grep DOCKER");
    await onHost(`sh ${stack}/machine/gone.sh keep-data`);
    expect(await onHost(rulesOfK3s)).toBe("0");
    expect(await onHost("iptables -S | grep DOCKER")).toBe(docker);
    expect(await onHost("pgrep -fc '[/]k3s/bin/k3s|[I]O::Socket' || true")).toBe("0");
    // As on another machine with the same data disk.
    await onHost("rm -r /var/lib/rancher /etc/rancher");
    expect(await ready()).toBe("k3s v1.34.2+k3s1 is ready");
    expect(await kubectl("server", "get pods -o name")).toBe("pod/sandbox-1");
  });

  test("leaves nothing where its data was given up", async () => {
    await onHost(`sh ${stack}/machine/gone.sh delete-data`);
    expect(await onHost("ls -d /var/lib/rancher/k3s /etc/rancher/node /opt/cloudcode/k3s 2>/dev/null || true")).toBe(
      "",
    );
  });
});
