import { k3sNetwork } from "../../../components/apps/k3s";
import type { AppsWorld } from "../apps/world";
import { withServerAt } from "../metadata";
import { acrossApps, doors, opened, placesOf } from "../scenarios/apps-walls";
import { eventually } from "../world";
import { type Liteboxd, answering } from "./liteboxd";

/** A sandbox that liteboxd's policies let out to everywhere: what it reaches then is what our own walls leave. */
const freePod = JSON.stringify({
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "free", labels: { app: "liteboxd", free: "yes" } },
      spec: { automountServiceAccountToken: false, containers: [{ name: "main", ...answering }] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "free" },
      spec: { podSelector: { matchLabels: { free: "yes" } }, policyTypes: ["Egress"], egress: [{}] },
    },
  ],
});

/** Neither containers nor sandboxes reach what is not theirs. */
export function lwsandboxWalls(world: AppsWorld, liteboxd: Liteboxd): void {
  const address = () => world.sandbox.host.address;
  const podAddress = (name: string) =>
    liteboxd.kubectl(`get pod ${name} -n liteboxd-sandbox -o 'jsonpath={.status.podIP}'`);
  /** The process that runs in the pod's network. */
  const podProcess = async (name: string) => {
    const address = await podAddress(name);
    return world.onHost(`for name in $(ip netns list | cut -d' ' -f1); do
      ip -n "$name" -o addr | grep -qF " ${address}/" && ip netns pids "$name" | head -n 1; done; true`);
  };
  const cluster = async () => [
    ...[6443, 10250, 10256].map((port) => `${address()} ${port}`),
    `${k3sNetwork.apiAddress} 6443`,
    "10.43.0.1 443",
    `${await podAddress("free")} 3000`,
  ];
  let pid = "";

  beforeAll(async () => {
    await world.sandbox.exec(
      [
        "sh",
        "-c",
        "/opt/cloudcode/k3s/bin/k3s kubectl --kubeconfig /opt/cloudcode/k3s/admin.yaml apply -n liteboxd-sandbox -f -",
      ],
      { input: freePod },
    );
    await liteboxd.kubectl("wait -n liteboxd-sandbox --for condition=Ready --timeout 300s pod/free");
    pid = await podProcess("free");
  });
  afterAll(() => liteboxd.kubectl("delete -n liteboxd-sandbox networkpolicy/free pod/free"));

  test("no container of one App reaches a container of another App or of the gate", async () => {
    const { tried, open } = await acrossApps(world);
    expect(tried).toBeGreaterThan(150);
    expect(open).toEqual([]);
  });

  test("only liteboxd's server and gateway reach the cluster and a sandbox", async () => {
    const places = await placesOf(world);
    const targets = await cluster();
    const ours = ({ app, service }: (typeof places)[number]) => app === "lwsandbox" && service !== "web";
    const from = (those: typeof places) => those.flatMap((place) => targets.map((target) => `${place.pid} ${target}`));
    const strangers = from(places.filter((place) => !ours(place)));
    expect(strangers.length).toBeGreaterThan(60);
    expect(await opened(world, strangers)).toEqual([]);
    const needed = places.filter(ours).map((place) => `${place.pid} ${k3sNetwork.apiAddress} 6443`);
    expect(await opened(world, needed)).toEqual(needed.toSorted());
  });

  test("a sandbox that may go anywhere reaches the outside and k3s's API, and no container and nothing else of the machine", async () => {
    const outside = `${pid} ${world.sandbox.host.gateway} 14000`;
    // Rules follow a policy within a moment.
    expect(await eventually(30, async () => (await opened(world, [outside])).length === 1)).toBe(true);
    const places = await placesOf(world);
    const inside = places.flatMap(doors);
    expect(inside.length).toBeGreaterThan(15);
    const api = [`${address()} 6443`, `${k3sNetwork.apiAddress} 6443`, "10.43.0.1 443"];
    const closed = [...inside, `${address()} 22`, `${address()} 443`, `${address()} 10250`, `${address()} 10256`];
    const tried = [...closed, ...api].map((door) => `${pid} ${door}`);
    expect(await opened(world, tried)).toEqual(api.map((door) => `${pid} ${door}`).toSorted());
  });

  test.each(["169.254.169.254", "100.100.100.200"])("no sandbox reaches %s, although the host does", (metadata) =>
    withServerAt(metadata, world.sandbox.name, async () => {
      expect(await world.onHost(`timeout 5 bash -c 'exec 3<>/dev/tcp/${metadata}/80' && echo open`)).toBe("open");
      const liteboxds = (await placesOf(world)).filter(({ app }) => app === "lwsandbox");
      const tried = [pid, ...liteboxds.map((place) => place.pid)].map((from) => `${from} ${metadata} 80`);
      expect(tried).toHaveLength(4);
      expect(await opened(world, tried)).toEqual([]);
    }),
  );

  test("an ordinary sandbox reaches nothing at all", async () => {
    const [name = ""] = (await liteboxd.pods()).filter((pod) => pod !== "free");
    const process = await podProcess(name);
    const doorsOut = [`${world.sandbox.host.gateway} 14000`, `${address()} 443`, `${await podAddress("free")} 3000`];
    expect(
      await opened(
        world,
        doorsOut.map((door) => `${process} ${door}`),
      ),
    ).toEqual([]);
  });
}
