import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../sandbox/sandbox";
import {
  addVirtualPasskey,
  enrolPasskey,
  enrolTotp,
  login as signIn,
  loginWithPasskey,
  logout,
  openBrowser,
  secondFactorTotp,
  type PortalBrowser,
} from "../../browser/portal";
import { type World, secrets, username } from "../world";

/** A person at a phone: password, then a second factor; or a passkey alone. */
export function login(world: World): void {
  let browser: PortalBrowser;
  // The README's pictures but for those of the index page (test/tools/index-page.test.ts): CLOUDCODE_SCREENSHOTS=docs/screenshots npm run test:sandbox
  const shots = process.env["CLOUDCODE_SCREENSHOTS"] ?? join(projectRoot, ".sandbox", "screenshots");
  const shot = (name: string) => browser.page.screenshot({ path: join(shots, `${name}.png`) });

  beforeAll(async () => {
    mkdirSync(shots, { recursive: true });
    browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
    await browser.page.setViewportSize({ width: 390, height: 720 });
  });
  afterAll(() => browser.close());

  test("the password alone opens nothing but the way to enrol", async () => {
    await browser.page.goto(`https://code.${world.domain}/`);
    await shot("login");
    await signIn(browser.page, username, secrets.adminPassword);
    await browser.page.goto(`https://code.${world.domain}/`);
    expect(new URL(browser.page.url()).hostname).toBe(`auth.${world.domain}`);
  });

  test("an authenticator app is enrolled with the one-time code from the host, and with it the Apps open", async () => {
    const totpSecret = await enrolTotp(browser.page, () => world.oneTimeCode());
    await logout(browser.page);
    await signIn(browser.page, username, secrets.adminPassword, { remember: true });
    await secondFactorTotp(browser.page, totpSecret);
    await browser.page.goto(`https://${world.domain}/`);
    await browser.page.getByRole("link", { name: /OpenCode/ }).waitFor();
    const answer = await browser.page.goto(`https://code.${world.domain}/`);
    expect({ host: new URL(browser.page.url()).hostname, status: answer?.status() }).toEqual({
      host: `code.${world.domain}`,
      status: 200,
    });
    await browser.page.waitForTimeout(3000);
    await shot("opencode");
  });

  test("a passkey is enrolled and signs in by itself", async () => {
    await addVirtualPasskey(browser.page);
    await enrolPasskey(browser.page, "phone", () => world.oneTimeCode());
    await logout(browser.page);
    await loginWithPasskey(browser.page);
    const answer = await browser.page.goto(`https://code.${world.domain}/global/health`);
    expect({ host: new URL(browser.page.url()).hostname, status: answer?.status() }).toEqual({
      host: `code.${world.domain}`,
      status: 200,
    });
    await world.keepSession(browser.context);
  });

  test("the index page fits a phone and speaks both languages", async () => {
    for (const [language, words] of [
      ["en", "in the browser"],
      ["zh", "浏览器"],
    ] as const) {
      await browser.page.goto(`https://${world.domain}/?lang=${language}`);
      const overflow = await browser.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      expect(await browser.page.locator(".apps small").first().textContent()).toContain(words);
    }
  });

  test("the index page has the host's own report, at most 5 minutes old, and says that OpenCode is up", async () => {
    await world.onHost("systemctl start cloudcode-page.service");
    await browser.page.goto(`https://${world.domain}/?lang=en`);
    await browser.page.locator(".apps li", { hasText: "OpenCode" }).locator(".state.up").waitFor();
    expect(await browser.page.locator(".verdict").textContent()).toContain("Checked less than a minute ago");
    expect(await world.onHost("systemctl show -p TimersMonotonic --value cloudcode-page.timer")).toContain(
      "OnUnitActiveUSec=4min",
    );
  });
}
