import type { Page } from "playwright-core";
import { openBrowser } from "../../browser/portal";
import { replaced } from "../apps/parts";
import type { AppsWorld } from "../apps/world";

const person = { id: 42, username: "ada" };

/** The whole journey of a donor, who has no login of the gateway. Only the stand-in for the proxy knows a provider that takes the credential. */
export function donation(world: AppsWorld): void {
  const taken = (what: string) => replaced(world.sandbox, what);

  test("a donor signs in, binds, donates once and has the quota; the credential is the model proxy's", async () => {
    world.newApi.users.set(5, { linuxDoId: "42", quota: 10, used: 0 });
    await asDonor(world, async (page, site) => {
      await page.getByLabel("new-api user").fill("5");
      await page.locator("main").getByRole("button", { name: "Link account" }).click();
      await page.waitForURL(`${site}/donate`);
      await donate(page);
      if (!taken("a credential that its provider takes is donated; one that it refuses is")) {
        expect(await page.getByRole("alert").innerText()).toBe("The provider does not accept this credential.");
        return;
      }
      await page.waitForURL(`${site}/status`);
      expect(await page.locator("main li").innerText()).toMatch(/claude\s+500\s+quota added/);
      await page.goto(`${site}/donate`);
      await donate(page);
      expect(await page.getByRole("alert").innerText()).toBe("This credential was donated before.");
      // An administrator's page: the gateway asks first, and it does not know the donor.
      await page.goto(`${site}/auth-files`);
      expect(new URL(page.url()).hostname).toBe(`auth.${world.domain}`);
    });
    const grants = world.sandbox.origin === "stand-in" ? 1 : 0;
    expect(world.newApi.users.get(5)?.quota).toBe(10 + grants * 500);
    expect(world.newApi.grants).toBe(grants);
    const key = await world.appLogin("Donation site");
    const models = await world.request("models", "/v1/models", { headers: { "x-api-key": key } });
    expect((JSON.parse(models.body) as { data: unknown[] }).data).toHaveLength(grants);
  });

  test("its log tells of the donation, with user and amount", async () => {
    if (!taken("the donation site logs a donation")) return;
    const log = await world.onHost('docker logs cloudcode-donation-site-1 2>&1 | grep \'"event":"donation"\'');
    expect(JSON.parse(log)).toMatchObject({ userId: 42, newApi: 5, amount: 500 });
  });
}

/** Checks that the site still has the donation, and says whether there was one; a link to new-api it has in any case. */
export async function donationIsKnown(world: AppsWorld, page: Page, site: string): Promise<boolean> {
  expect(page.url()).toBe(`${site}/donate`);
  if (!replaced(world.sandbox, "an earlier donation is still there; only the link to new-api is")) return false;
  await page.goto(`${site}/status`);
  expect(await page.locator("main li").innerText()).toMatch(/claude\s+500\s+quota added/);
  return true;
}

/** Signs in at Linux Do in a browser of their own, up to the page that comes next. */
export async function asDonor(world: AppsWorld, action: (page: Page, site: string) => Promise<void>): Promise<void> {
  const site = `https://donate.${world.domain}`;
  world.oauth.person = person;
  const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
  try {
    const { page } = browser;
    await page.goto(site);
    await page.getByRole("link", { name: "Sign in with Linux Do" }).click();
    await page.locator("#allow").click();
    await page.waitForURL(new RegExp(`^${site}/(bind|donate)$`));
    await action(page, site);
  } finally {
    await browser.close();
  }
}

export async function donate(page: Page): Promise<void> {
  const text = JSON.stringify({ type: "claude", access_token: "accepted-ada", refresh_token: "refresh-ada" });
  const file = { name: "claude.json", mimeType: "application/json", buffer: Buffer.from(text) };
  await page.getByLabel("Auth file").setInputFiles(file);
  await page.getByRole("button", { name: "Donate" }).click();
}
