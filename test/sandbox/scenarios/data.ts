import { credentials, inPortal } from "../portal-api";
import { openTerminal } from "../streams";
import { type World, secrets } from "../world";

/** Set by the last test, and valid from then on. */
export const thirdPassword = "the operator's third passphrase";

/** Nothing is lost unless the operator says so. */
export function data(world: World): void {
  test("a removed App takes its containers, networks and images along and keeps its volumes; it finds them when it returns", async () => {
    const terminal = await openTerminal(world);
    // What the shell echoes of the line itself is not the word that is waited for.
    await terminal.type("printf 'prec%s\\n' ious > kept.txt; cat kept.txt", "precious");
    terminal.close();
    world.sandbox.configure({ opencodeEnabled: "false" });
    await world.up();
    expect(await world.onHost("docker ps --all --format '{{.Names}}' | grep opencode || true")).toBe("");
    expect(await world.onHost("docker network ls --format '{{.Name}}' | grep opencode || true")).toBe("");
    expect(await world.onHost("ls -d /opt/cloudcode/stacks/opencode 2>/dev/null || true")).toBe("");
    expect(await world.onHost("docker volume ls --format '{{.Name}}' | grep -c opencode")).toBe("4");
    expect((await world.request("", "/", { headers: { cookie: world.cookie } })).body).not.toContain("OpenCode");
    world.sandbox.configure({ opencodeEnabled: undefined });
    await world.up();
    expect(await world.onHost("docker exec cloudcode-opencode-server-1 cat /home/opencode/workspace/kept.txt")).toBe(
      "precious",
    );
  });

  test("a password changed in the portal survives later deploys", async () => {
    const changed = "another long passphrase";
    await inPortal(world, async (call) => {
      expect(await call("POST", "/api/firstfactor", credentials(secrets.adminPassword))).toBe(200);
      expect(await call("POST", "/api/user/session/elevation")).toBe(200);
      expect(await call("PUT", "/api/user/session/elevation", { otc: await world.oneTimeCode() })).toBe(200);
      const passwords = { old_password: secrets.adminPassword, new_password: changed };
      expect(await call("POST", "/api/change-password", passwords)).toBe(200);
    });
    world.sandbox.configure({ timeZone: "Asia/Shanghai" });
    await world.up();
    await inPortal(world, async (call) => {
      expect(await call("POST", "/api/firstfactor", credentials(secrets.adminPassword))).toBe(401);
      expect(await call("POST", "/api/firstfactor", credentials(changed))).toBe(200);
    });
  });

  test("a new adminPassword in the configuration replaces the one of the portal", async () => {
    await world.sandbox.pulumi(["config", "set", "--secret", "adminPassword"], { input: thirdPassword });
    await world.up();
    await inPortal(world, async (call) => {
      expect(await call("POST", "/api/firstfactor", credentials(thirdPassword))).toBe(200);
    });
  });
}
