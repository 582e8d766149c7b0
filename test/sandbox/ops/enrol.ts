import type { Sandbox } from "../../../sandbox/sandbox";
import { addVirtualPasskey, enrolPasskey, login, openBrowser } from "../../browser/portal";
import { type World, secrets, username } from "../world";
import { ops } from "./run";

/** Enrols a passkey in a browser of its own, with the code that `ops otp` waits for. @param name of the passkey */
export async function enrolByCode(world: World<Sandbox>, name: string): Promise<void> {
  const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
  try {
    await browser.page.goto(`https://auth.${world.domain}/`);
    await login(browser.page, username, secrets.adminPassword);
    await addVirtualPasskey(browser.page);
    const code = ops(world, ["otp", "--wait", "60"]).then(({ stdout }) => stdout.trim());
    await enrolPasskey(browser.page, name, () => code);
  } finally {
    await browser.close();
  }
}
