import { enrolTotp, login, logout, openBrowser, secondFactorTotp } from "../browser/portal";
import type { World } from "../sandbox/world";

/** Signs the operator in by a browser and leaves the session's cookie in the world. */
export async function session(world: World): Promise<void> {
  const { stdout } = await world.sandbox.pulumi(["stack", "output", "adminPassword", "--show-secrets"]);
  const password = stdout.trim();
  const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
  const { page, context } = browser;
  try {
    await login(page, "admin", password);
    const secret = await enrolTotp(page, () => world.oneTimeCode());
    await logout(page);
    await login(page, "admin", password, { remember: true });
    await secondFactorTotp(page, secret);
    const cookies = await context.cookies(`https://${world.domain}`);
    world.cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  } finally {
    await browser.close();
  }
}
