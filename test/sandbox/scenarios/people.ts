import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultImages } from "../../../components/images";
import { projectRoot } from "../../../sandbox/folder";
import {
  type PortalBrowser,
  addVirtualPasskey,
  enrolPasskey,
  enrolTotp,
  login,
  logout,
  openBrowser,
  secondFactorTotp,
} from "../../browser/portal";
import { openTerminal } from "../streams";
import { type World, eventually } from "../world";

const jo = { name: "jo", mail: "jo@example.com", apps: ["opencode"] };
const mia = { name: "mia", mail: "mia@example.com", apps: ["board"] };

/** An App of one's own, so that there are two. */
const folder = join(projectRoot, "apps", "board");
const files = {
  "app.yaml": "title: Board\nport: 8080\nhealth: /\nmemory: 64\n",
  "compose.yaml": `services:
  web:
    image: ${defaultImages.caddy.replace(/@.*/, "")}
    entrypoint: [caddy, respond, --listen, ":8080", --body, board]
`,
};

/** Two people next to the operator, through the real portal and edge: their Apps and no others, and the end of one. */
export function people(world: World): void {
  const cookies: Record<string, string> = {};
  const up = async (list: readonly object[] | undefined) => {
    world.sandbox.configure({ people: list });
    await world.up();
  };
  const firstPasswords = async () => {
    const { stdout } = await world.sandbox.pulumi(["stack", "output", "peoplePasswords", "--show-secrets", "--json"]);
    return JSON.parse(stdout) as Record<string, string>;
  };
  const status = async (name: string, subdomain: string, path = "/") =>
    (await world.request(subdomain, path, { headers: { cookie: cookies[name] ?? "", accept: "text/html" } })).status;
  const keep = async (name: string, { context }: PortalBrowser) => {
    const found = await context.cookies(`https://${world.domain}`);
    cookies[name] = found.map(({ name: key, value }) => `${key}=${value}`).join("; ");
  };
  const browse = async (action: (browser: PortalBrowser) => Promise<void>) => {
    const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
    try {
      await action(browser);
    } finally {
      await browser.close();
    }
  };

  afterAll(() => {
    world.cookie = cookies["operator"] ?? "";
    world.sandbox.configure({ people: undefined, ownApps: undefined });
    rmSync(folder, { recursive: true, force: true });
  });

  test("two people get accounts by one up, and the operator stays signed in", async () => {
    cookies["operator"] = world.cookie;
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    world.sandbox.configure({ ownApps: ["board"] });
    await up([jo, mia]);
    expect(await eventually(60, async () => (await status("operator", "board")) === 200)).toBe(true);
    expect(await status("operator", "code", "/global/health")).toBe(200);
    expect(Object.keys(await firstPasswords()).sort()).toEqual(["jo", "mia"]);
  });

  test("each signs in with a password and an authenticator app of their own, and reaches their Apps alone", async () => {
    const passwords = await firstPasswords();
    for (const name of ["jo", "mia"])
      await browse(async (browser) => {
        await login(browser.page, name, passwords[name] ?? "");
        const secret = await enrolTotp(browser.page, () => world.oneTimeCode());
        await logout(browser.page);
        await login(browser.page, name, passwords[name] ?? "", { remember: true });
        await secondFactorTotp(browser.page, secret);
        await keep(name, browser);
      });
    const seen = async (name: string) => [await status(name, "code", "/global/health"), await status(name, "board")];
    expect([await seen("jo"), await seen("mia")]).toEqual([
      [200, 403],
      [403, 200],
    ]);
    for (const name of ["jo", "mia"]) {
      const { body } = await world.request("", "/", { headers: { cookie: cookies[name] ?? "" } });
      expect(body).not.toMatch(/This machine|GiB/);
      expect([name, body.includes("OpenCode")]).toEqual([name, name === "jo"]);
    }
    const own = await world.request("", "/", { headers: { cookie: cookies["operator"] ?? "" } });
    expect(own.body).toContain("This machine");
  });

  test("a passkey is theirs, too", async () => {
    await browse(async (browser) => {
      await browser.context.addCookies(
        (cookies["jo"] ?? "").split("; ").map((pair) => {
          const [name = "", value = ""] = pair.split("=");
          return { name, value, domain: `.${world.domain}`, path: "/", secure: true };
        }),
      );
      await addVirtualPasskey(browser.page);
      await enrolPasskey(browser.page, "laptop", () => world.oneTimeCode());
    });
    const authelia = await world.container("auth", "authelia");
    expect(await world.onHost(`docker exec ${authelia} authelia storage user webauthn list jo`)).toContain("laptop");
  });

  test("an up without a change has no difference and opens no SSH connection", async () => {
    expect(await world.sshConnections(() => world.sandbox.pulumi(["preview", "--expect-no-changes"]))).toBe(0);
  });

  test("a person who is removed is out when the up ends, the open terminal too; the others are not", async () => {
    const terminal = async (name: string) => {
      world.cookie = cookies[name] ?? "";
      return openTerminal(world);
    };
    const [joAt, operatorAt] = [await terminal("jo"), await terminal("operator")];
    expect([joAt.isOpen(), operatorAt.isOpen()]).toEqual([true, true]);
    await up([mia]);
    expect(await eventually(10, () => Promise.resolve(!joAt.isOpen()))).toBe(true);
    expect(operatorAt.isOpen()).toBe(true);
    operatorAt.close();
    expect([await status("jo", "code"), await status("mia", "board"), await status("operator", "code")]).toEqual([
      302, 200, 200,
    ]);
  });

  test("the name comes back with a new password and without the passkey, and no session of before", async () => {
    const former = await firstPasswords();
    await up([jo, mia]);
    const now = await firstPasswords();
    expect(now["jo"]).not.toBe(former["jo"]);
    expect(now["mia"]).toBe(former["mia"]);
    expect(await status("jo", "code")).toBe(302);
    const authelia = await world.container("auth", "authelia");
    const listed = await world.onHost(`docker exec ${authelia} authelia storage user webauthn list jo 2>&1 || true`);
    expect(listed).toContain("has no WebAuthn credentials");
  });

  test("when the last one is removed, the users file has the operator alone", async () => {
    world.sandbox.configure({ ownApps: undefined });
    await up(undefined);
    const authelia = await world.container("auth", "authelia");
    const users = await world.onHost(`docker exec ${authelia} cat /config/users.yml`);
    expect(users).not.toMatch(/\b(jo|mia)\b/);
    expect(await world.onHost("docker ps --all --format '{{.Names}}' --filter name=forget")).toBe("");
    // All sessions ended when the name came back.
    expect(await status("operator", "code", "/global/health")).toBe(302);
  });
}
