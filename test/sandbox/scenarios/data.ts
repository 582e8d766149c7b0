import { openBrowser, login, secondFactorTotp } from "../../browser/portal";
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
    const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
    try {
      await login(browser.page, username, secrets.adminPassword);
      await secondFactorTotp(browser.page, world.totpSecret);
      const answer = await browser.page.evaluate(
        async ([old_password, new_password]) => {
          const body = JSON.stringify({ username: "operator", old_password, new_password });
          const response = await fetch("/api/change-password", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
          });
          return response.status;
        },
        [secrets.adminPassword, changed] as const,
      );
      expect(answer).toBe(200);
    } finally {
      await browser.close();
    }
    world.sandbox.configure({ timeZone: "Asia/Shanghai" });
    await world.up();
    expect(await signsIn(world, changed)).toBe(200);
    expect(await signsIn(world, secrets.adminPassword)).toBe(401);
  });
}

async function signsIn(world: World, password: string): Promise<number> {
  const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
  try {
    await browser.page.goto(`https://auth.${world.domain}/`);
    return await browser.page.evaluate(
      async ([user, word]) => {
        const body = JSON.stringify({ username: user, password: word, keepMeLoggedIn: false });
        const response = await fetch("/api/firstfactor", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        });
        return response.status;
      },
      [username, password] as const,
    );
  } finally {
    await browser.close();
  }
}
