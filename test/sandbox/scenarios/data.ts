import { openBrowser } from "../../browser/portal";
import { openTerminal } from "../streams";
import { type World, secrets, username } from "../world";

/** Nothing is lost unless the operator says so. */
export function data(world: World): void {
  test("a removed App takes its containers, networks and images along and keeps its volumes; it finds them when it returns", async () => {
    const terminal = await openTerminal(world);
    await terminal.type("echo precious > kept.txt; cat kept.txt", "precious");
    terminal.close();
    world.sandbox.configure({ opencodeEnabled: "false" });
    await world.up();
    expect(await world.onHost("docker ps --all --format '{{.Names}}' | grep opencode || true")).toBe("");
    expect(await world.onHost("docker network ls --format '{{.Name}}' | grep opencode || true")).toBe("");
    expect(await world.onHost("ls -d /opt/cloudcode/stacks/opencode 2>/dev/null || true")).toBe("");
    expect(await world.onHost("docker volume ls --format '{{.Name}}' | grep -c opencode")).toBe("3");
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
    const given = "the operator's third passphrase";
    await world.sandbox.pulumi(["config", "set", "--secret", "adminPassword"], { input: given });
    await world.up();
    await inPortal(world, async (call) => {
      expect(await call("POST", "/api/firstfactor", credentials(given))).toBe(200);
    });
  });
}

type Call = (method: string, path: string, body?: Readonly<Record<string, unknown>>) => Promise<number>;

function credentials(password: string) {
  return { username, password, keepMeLoggedIn: false };
}

/** Calls of the portal's API from its own page, as its forms make them; each gives the HTTP status. */
async function inPortal(world: World, action: (call: Call) => Promise<void>): Promise<void> {
  const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
  try {
    await browser.page.goto(`https://auth.${world.domain}/`);
    await action((method, path, body) =>
      browser.page.evaluate(
        async (call) => {
          const headers = { "content-type": "application/json" };
          return (await fetch(call.path, { method: call.method, headers, ...(call.body && { body: call.body }) }))
            .status;
        },
        { method, path, body: body && JSON.stringify(body) },
      ),
    );
  } finally {
    await browser.close();
  }
}
