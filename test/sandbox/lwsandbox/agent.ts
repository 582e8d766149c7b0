import type { AppsWorld } from "../apps/world";
import { eventually } from "../world";
import type { Liteboxd } from "./liteboxd";
import { sessionOf } from "./open";

const tools = "/usr/bin/python3 -I -S -B /usr/local/lib/workplace/sandboxes.py";
const place = "http://opencode-services:9094/sandboxes /run/secrets/sandboxes-key";

/** OpenCode's agent uses sandboxes, from its container, until the setting ends that. */
export function lwsandboxAgent(world: AppsWorld, liteboxd: Liteboxd): void {
  /** What the tools in OpenCode's container say to one call, as JSON. */
  const use = (name: string, words: object = {}) => {
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: words } };
    // They end with their input, so it stays open until there is an answer.
    const script = `d=$(mktemp -d) && mkfifo "$d/in" && { ${tools} ${place} <"$d/in" >"$d/out" & }
      exec 3>"$d/in" && printf '%s\\n' '${JSON.stringify(call)}' >&3
      tries=0; until [ -s "$d/out" ] || [ $tries -gt 600 ]; do tries=$((tries + 1)); sleep 0.2; done
      exec 3>&-; cat "$d/out"; rm -r "$d"`;
    return world.inContainer("opencode-server", script);
  };
  const keys = async () => {
    const { body } = await liteboxd.ask("GET", "/api/v1/auth/api-keys", await sessionOf(world, liteboxd));
    return (JSON.parse(body) as { name: string }[]).filter(({ name }) => name.startsWith("agent of")).length;
  };

  test("one setting gives it a key and the tools, and a second up changes nothing", async () => {
    world.sandbox.configure({ opencodeEnabled: undefined, opencodeSandboxes: "1" });
    await world.up();
    expect(await keys()).toBe(1);
    expect(await world.sshConnections(() => world.up("--expect-no-changes"))).toBe(0);
  });

  test("it makes a sandbox in the cluster, sees no other one, and gets no more than the setting says", async () => {
    const others = await liteboxd.ids();
    const id = /sandbox ([0-9a-f]{8}) runs until/.exec(await use("create", { minutes: 5 }))?.[1] ?? "";
    expect(await liteboxd.pods()).toContain(`sandbox-${id}`);
    const listed = await use("list");
    expect(listed).toContain(id);
    for (const other of others) expect(listed).not.toContain(other);
    expect(await use("create")).toContain("as many as opencodeSandboxes allows");
    expect(await use("delete", { sandbox: id })).toContain("is being deleted");
  });

  test("it reaches nothing else of lwsandbox", async () => {
    for (const address of ["lwsandbox-agent:8090", "lwsandbox-server:8080", "lwsandbox-web:80"])
      expect(
        await world.inContainer("opencode-server", `curl -sS -m 5 http://${address}/ >/dev/null 2>&1; echo $?`),
      ).not.toBe("0");
  });

  test("switched off, the key is revoked and nothing is left of it", async () => {
    world.sandbox.configure({ opencodeSandboxes: undefined });
    await world.up();
    expect(await eventually(30, async () => (await keys()) === 0)).toBe(true);
    expect(Object.keys(await world.containers()).filter((name) => name.includes("agent"))).toEqual([]);
    expect(await world.inContainer("opencode-server", "ls /run/secrets")).not.toContain("sandboxes-key");
  });
}
