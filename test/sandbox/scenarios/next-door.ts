import { createServer } from "node:https";
import { type AddressInfo } from "node:net";
import type { Response } from "playwright-core";
import { type PortalBrowser, openBrowser } from "../../browser/portal";
import { attack, hostileAnswer } from "../../edge/attacks";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import type { World } from "../world";

const hostile = "6-6-6-6.sslip.io";

/** Host's label ("" for the index page) and path. */
export type Target = readonly [string, string];

/** What a page at a neighbour's sslip.io name can make the operator's signed-in browser do here: nothing. */
export function nextDoor(world: World, targets: readonly Target[]): void {
  let browser: PortalBrowser;
  let stop: () => void;

  beforeAll(async () => {
    const { key, certificate } = selfSigned([hostile]);
    const site = createServer({ key, cert: certificate }, (request, response) => {
      const { status, headers, body } = hostileAnswer(request.url ?? "/") ?? { status: 404, headers: {}, body: "" };
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    stop = () => {
      site.close();
      site.closeAllConnections();
    };
    const neighbours = { [hostile]: `127.0.0.1:${(site.address() as AddressInfo).port}` };
    browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address, neighbours });
    await world.giveSession(browser.context);
  });
  afterAll(async () => {
    await browser.close();
    stop();
  });

  test.each([["", "/"], ["auth", "/api/firstfactor"], ...targets] as const)(
    "the edge itself answers all that it sends to %p %s",
    async (label, path) => {
      const url = `https://${world.nameOf(label)}${path}`;
      const statuses: number[] = [];
      const note = (response: Response) => {
        if (response.url().startsWith(url) && response.url().includes("mark=")) statuses.push(response.status());
      };
      browser.context.on("response", note);
      const page = await browser.context.newPage();
      await page.goto(`https://${hostile}/hostile`);
      await page.evaluate(attack, { target: url, own: `https://${hostile}` });
      await page.close();
      browser.context.off("response", note);
      expect(statuses.filter((status) => status !== 403)).toEqual([]);
      // How many a browser shows of them before the page closes depends on the machine's speed.
      expect(statuses.length).toBeGreaterThan(5);
    },
  );

  test.each(targets)("the session that it would use is good at %p %s", async (label) => {
    const answer = await browser.page.goto(`https://${world.nameOf(label)}/`);
    expect([new URL(browser.page.url()).hostname, answer?.status()]).toEqual([world.nameOf(label), 200]);
  });
}

/** OpenCode takes a command without a preflight, the terminal one by a socket: both from their own pages alone. */
export function commandsNextDoor(world: World): void {
  test("a page next door runs no command in OpenCode or its terminal, OpenCode's own page does", async () => {
    const { key, certificate } = selfSigned([hostile]);
    const site = createServer({ key, cert: certificate }, (_request, response) => response.end("<!doctype html>"));
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const neighbours = { [hostile]: `127.0.0.1:${(site.address() as AddressInfo).port}` };
    const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address, neighbours });
    try {
      await world.giveSession(browser.context);
      const code = `https://${world.nameOf("code")}`;
      for (const [from, name] of [
        [`https://${hostile}/`, "hostile"],
        [`${code}/`, "own"],
      ] as const) {
        await browser.page.goto(from);
        await browser.page.evaluate(
          async (given) => {
            const command = { command: "/bin/sh", args: ["-c", `id >/tmp/pty-${given.name}`], cwd: "/tmp" };
            const init = { method: "POST", mode: "no-cors", credentials: "include" } as const;
            await fetch(`${given.code}/pty`, { ...init, body: new Blob([JSON.stringify(command)]) }).catch(
              () => undefined,
            );
            const socket = new WebSocket(`${given.code.replace("https", "wss")}/terminal/ws`, ["tty"]);
            await new Promise((resolve) => {
              socket.onerror = resolve;
              socket.onopen = () => {
                socket.send(JSON.stringify({ AuthToken: "", columns: 80, rows: 24 }));
                socket.send(`0id >/tmp/terminal-${given.name}\n`);
                setTimeout(resolve, 2000);
              };
            });
          },
          { name, code },
        );
      }
    } finally {
      await browser.close();
      site.close();
    }
    const files = (service: string) =>
      world.onHost(
        `docker exec cloudcode-opencode-${service}-1 sh -c 'cd /tmp && ls pty-* terminal-* 2>/dev/null' || true`,
      );
    // Shells of the terminal run in the server's container, too.
    expect([await files("server"), await files("terminal")]).toEqual(["pty-own\nterminal-own", ""]);
  });
}
