import type { AppsWorld } from "../apps/world";

/** An App's data goes only where the operator said so in an `up` of its own before. */
export function lwsandboxRemoval(world: AppsWorld): void {
  const volumes = (name: string) =>
    world
      .onHost(`docker volume ls --format '{{.Name}}' | grep '^cloudcode-${name}' | sort`)
      .then((out) => out.split("\n"));
  const left = () =>
    world.onHost(`docker volume ls --format '{{.Name}}' | grep lwsandbox
      docker ps --all --format '{{.Names}}' | grep lwsandbox
      docker network ls --format '{{.Name}}' | grep -E 'lwsandbox|control'
      ls -d /var/lib/rancher/k3s /etc/rancher/node /opt/cloudcode/k3s /opt/cloudcode/stacks/lwsandbox /etc/systemd/system/cloudcode-k3s.service 2>/dev/null
      iptables-save | grep -E 'KUBE|K3S'; ip netns list; true`);
  const switchTo = async (values: Readonly<Record<string, unknown>>) => {
    world.sandbox.configure(values);
    await world.up();
  };

  test("deleteData that comes together with the removal deletes nothing", async () => {
    const data = ["cluster", "data", "keys"].map((name) => `cloudcode-lwsandbox_${name}`);
    expect(await volumes("lwsandbox")).toEqual(data);
    await switchTo({ lwsandboxEnabled: "false", deleteData: "true" });
    expect(await volumes("lwsandbox")).toEqual(data);
  });

  test("applied before it, deleteData takes lwsandbox's volumes and the cluster's, and nobody else's", async () => {
    await switchTo({ lwsandboxEnabled: "true" });
    const others = (await volumes("")).filter((name) => !name.includes("lwsandbox"));
    await switchTo({ lwsandboxEnabled: "false" });
    expect(await left()).toBe("");
    expect(await volumes("")).toEqual(others);
  });
}
