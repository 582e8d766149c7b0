// A person at the portal, in a real browser: password, one-time password, passkey. The same steps were driven through Authelia itself.
import type { PortalBrowser } from "../../../../test/browser/portal";
import * as portal from "../../../../test/browser/portal";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { domain } from "./gateway-cases";
import type { Running } from "./gateway-kit";
import { gatewayFolder, oneTimeCode, password, startGateway } from "./gateway-kit";
import { startProxy } from "./gateway-proxy";

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof gatewayFolder>>;
let gateway: Running;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let browser: PortalBrowser;

beforeAll(async () => {
  folder = await gatewayFolder();
  gateway = await startGateway(folder);
  const identity = selfSigned([domain, `*.${domain}`]);
  proxy = await startProxy(folder, identity);
  browser = await portal.openBrowser({ domain, address: `127.0.0.1:${proxy.port}`, caPem: identity.certificate });
});
afterAll(async () => {
  await browser.close();
  proxy.stop();
  await gateway.stop();
  folder.remove();
});

const readCode = (): Promise<string> => Promise.resolve(oneTimeCode(folder));
const app = `https://app.${domain}/start?x=1`;

test("from a refused password to a passkey, always back to the page that was asked for", async () => {
  const { page } = browser;
  await page.goto(app);
  expect(page.url()).toContain(`${browser.portal}/?rd=`);
  await expect(portal.login(page, "admin", "wrong")).rejects.toThrow("refused the password of admin");

  await portal.login(page, "admin", password);
  const secret = await portal.enrolTotp(page, readCode);
  await portal.logout(page);

  await page.goto(app);
  await portal.login(page, "admin", password);
  await portal.secondFactorTotp(page, secret);
  await page.waitForURL(app);
  expect(await page.locator("body").innerText()).toBe(`hello admin at app.${domain}/start?x=1`);

  const phone = await portal.addVirtualPasskey(page);
  await portal.enrolPasskey(page, "phone", readCode);
  expect(await phone.credentials()).toMatchObject([{ rpId: `auth.${domain}`, isResidentCredential: true }]);
  await portal.logout(page);
  await page.goto(app);
  expect(page.url()).toContain(browser.portal);

  await portal.loginWithPasskey(page);
  await page.waitForURL(app);
  expect(await page.locator("body").innerText()).toContain("hello admin");

  await portal.logout(page);
  await phone.remove();
  await portal.addVirtualPasskey(page);
  page.setDefaultTimeout(3000);
  await expect(portal.loginWithPasskey(page)).rejects.toThrow();
});
