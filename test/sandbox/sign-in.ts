import { type PortalBrowser, enrolTotp, login, logout, openBrowser, secondFactorTotp } from "../browser/portal";
import type { World } from "./world";

/**
 * Signs the operator in for the first time, with a one-time password enrolled on the way; the session's cookie is in the world
 * afterwards. `look` uses the signed-in browser. Returns the secret of the one-time passwords.
 */
export async function signIn(
  world: World,
  user: string,
  password: string,
  look: (browser: PortalBrowser) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
  const { page, context } = browser;
  try {
    await login(page, user, password);
    const secret = await enrolTotp(page, () => world.oneTimeCode());
    await logout(page);
    await login(page, user, password, { remember: true });
    await secondFactorTotp(page, secret);
    await look(browser);
    await world.keepSession(context);
    return secret;
  } finally {
    await browser.close();
  }
}
