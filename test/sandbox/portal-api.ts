import { openBrowser } from "../browser/portal";
import { type World, username } from "./world";

/** Makes one call and gives its HTTP status. */
export type Call = (method: string, path: string, body?: Readonly<Record<string, unknown>>) => Promise<number>;

export function credentials(password: string) {
  return { username, password, keepMeLoggedIn: false };
}

/** Calls of the portal's API from its own page, as its forms make them; each gives the HTTP status. */
export async function inPortal(world: World, action: (call: Call) => Promise<void>): Promise<void> {
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
