import { firstEvent, openTerminal } from "../streams";
import { type World, eventually } from "../world";

/** What OpenCode lives from passes the gateway unbroken. */
export function streams(world: World): void {
  test("events arrive at once and uncompressed", async () => {
    const event = await firstEvent(world);
    expect(event.contentType).toContain("text/event-stream");
    expect(event.encoding).toBeUndefined();
    expect(event.text).toContain("data:");
  });

  test("the web terminal is a shell in the workspace", async () => {
    const terminal = await openTerminal(world);
    await terminal.type("echo $((6*7)) $(pwd)", "42 /home/opencode/workspace");
    terminal.close();
  });

  test("a WebSocket without login is refused", async () => {
    const stranger = Object.create(world, { cookie: { value: "" } }) as World;
    await expect(openTerminal(stranger)).rejects.toThrow(/40[13]|302/);
  });

  test("a changed Route reloads Caddy: streams live on, no session ends, and App and proxy keep their containers", async () => {
    const before = await world.containers();
    const terminal = await openTerminal(world);
    world.sandbox.configure({ opencodeSubdomain: "dev" });
    const { stdout } = await world.sandbox.pulumi(["preview", "--diff"]);
    expect(stdout).toMatch(/configuration\.yml/);
    expect(stdout).toMatch(/live\/Caddyfile/);
    await world.up();
    await terminal.type("echo still $((1+1))", "still 2");
    // The new name's certificate comes in the moments after the reload.
    const answers = async () =>
      (await world.request("dev", "/global/health", { headers: { cookie: world.cookie } })).status === 200;
    expect(await eventually(30, answers)).toBe(true);
    const after = await world.containers();
    for (const kept of [
      "cloudcode-edge-caddy",
      "cloudcode-opencode-server",
      "cloudcode-opencode-terminal",
      "cloudcode-auth-sessions",
    ]) {
      expect({ [kept]: after[kept] }).toEqual({ [kept]: before[kept] });
    }
    world.sandbox.configure({ opencodeSubdomain: undefined });
    await world.up();
    await terminal.type("echo again $((2+2))", "again 4");
    terminal.close();
  });
}
