// A hostile page next door, in a real Chromium with a signed-in session, before the real Caddy, OpenCode and terminal: what counts
// is what arrives behind Caddy. The same page is let loose on a Caddy without the check, so that an attack that no browser sends
// proves nothing here.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { until } from "../support/notifier";
import { attack, notSent } from "./attacks";
import { type Home, openHome } from "./home";
import { type OpenCode, type Program, startOpencode, startTerminal } from "./programs";

jest.setTimeout(10 * 60_000);

let opencode: OpenCode;
let terminal: Program;
let folder: string;
beforeAll(async () => {
  opencode = await startOpencode();
  terminal = await startTerminal();
  folder = mkdtempSync(join(tmpdir(), "attacks-"));
});
afterAll(() => {
  opencode.stop();
  terminal.stop();
  rmSync(folder, { recursive: true });
});

const settings = { opencodePreviews: "[3000,5173]" };

/** Host's label ("" for the index page) and path, of each App, the terminal, the portal and the index page. */
const targets: readonly (readonly [string, string])[] = [
  ["", "/"],
  ["auth", "/"],
  ["auth", "/api/firstfactor"],
  ["code", "/session"],
  ["code", "/event"],
  ["code", "/terminal/"],
  ["code", "/terminal/ws"],
  ["tg", "/login"],
  ["donate", "/bind"],
  ["donate", "/auth-files/upload"],
  ["models", "/v0/management/auth-files"],
  ["casecheck", "/v1/activities"],
  ["sandbox", "/api/v1/sandboxes"],
  ["sandbox", "/api/v1/sandbox/1/port/3000/"],
  ["3000-code", "/"],
];

describe.each([
  ["a neighbour on the shared name", "203-0-113-7.sslip.io", "6-6-6-6.sslip.io"],
  ["an App on the same domain", "home.example.com", "tg.home.example.com"],
  ["a preview of OpenCode's workspace", "home.example.com", "5173-code.home.example.com"],
])("%s", (_name, domain, hostile) => {
  const address = (label: string, path: string) => `https://${label === "" ? domain : `${label}.${domain}`}${path}`;
  const others = targets.filter(([label]) => `${label}.${domain}` !== hostile);
  let open: Home;
  let guarded: Home;

  beforeAll(async () => {
    const programs = { "opencode-server:4096": opencode.port, "opencode-terminal:7681": terminal.port };
    const common = { domain, hostile, programs, secrets: opencode.secrets, settings };
    open = await openHome({ ...common, guarded: false });
    guarded = await openHome({ ...common, guarded: true });
  });
  afterAll(() => Promise.all([open, guarded].map((home) => home.stop())));

  const hostilePage = async (home: Home): Promise<Page> => {
    const page = await home.context.newPage();
    await opened(page, `https://${hostile}/hostile`);
    return page;
  };
  /** @param arrive waits for what was sent, before the page is closed */
  const attacked = async (home: Home, label: string, path: string, arrive?: (sent: string[]) => Promise<void>) => {
    const page = await hostilePage(home);
    const sent = await page.evaluate(attack, { target: address(label, path), own: `https://${hostile}` });
    await arrive?.(sent);
    await page.close();
    return sent;
  };
  const go = (page: Page, label: string, path: string) =>
    page.evaluate(
      (url) => {
        setTimeout(() => (location.href = url));
      },
      address(label, path),
    );

  test("nothing that it sends arrives, at the gate or behind it", async () => {
    for (let first = 0; first < others.length; first += 5)
      await Promise.all(others.slice(first, first + 5).map(([label, path]) => attacked(guarded, label, path)));
    const arrived = others.map(([label]) => [label, guarded.recorder.marks(new URL(address(label, "/")).hostname)]);
    expect(arrived).toEqual(others.map(([label]) => [label, []]));
  });

  test("all of it would arrive without the check", async () => {
    const sent = await attacked(open, "code", "/session", async (marks) => {
      const missing = () => {
        const arrived = open.recorder.marks(`code.${domain}`);
        return marks.filter((mark) => !notSent.includes(mark) && !arrived.includes(mark));
      };
      await until(() => missing().length === 0, missing);
    });
    expect(sent.length).toBeGreaterThan(40);
  });

  test.each([true, false])("with the check (%p), or without: whose commands OpenCode runs", async (on) => {
    const home = on ? guarded : open;
    const [byPty, byTerminal] = [join(folder, `pty-${on}-${domain}`), join(folder, `terminal-${on}-${domain}`)];
    const page = await hostilePage(home);
    await page.evaluate(
      (given) => {
        const command = { command: "/bin/sh", args: ["-c", `id >${given.byPty}`], cwd: "/tmp" };
        const init = { method: "POST", mode: "no-cors", credentials: "include" } as const;
        void fetch(given.pty, { ...init, body: new Blob([JSON.stringify(command)]) }).catch(() => undefined);
        const socket = new WebSocket(given.terminal, ["tty"]);
        socket.onopen = () => {
          socket.send(JSON.stringify({ AuthToken: "", columns: 80, rows: 24 }));
          socket.send(`0id >${given.byTerminal}\n`);
        };
      },
      { byPty, byTerminal, pty: address("code", "/pty"), terminal: `wss://code.${domain}/terminal/ws` },
    );
    const end = Date.now() + (on ? 3000 : 20_000);
    while (Date.now() < end && !existsSync(byPty)) await sleep(100);
    await page.close();
    // The terminal has a check of its own.
    expect({ pty: existsSync(byPty), terminal: existsSync(byTerminal) }).toEqual({ pty: !on, terminal: false });
    const arrived = home.recorder.of(`code.${domain}`).map(({ url }) => url);
    expect(["/pty", "/terminal/ws"].filter((path) => arrived.includes(path))).toHaveLength(on ? 0 : 2);
  });

  test("a link opens a page alone in its window, deaf to who opened it", async () => {
    // In a context of its own: what came after it in the same one hung now and then.
    const context = await guarded.signedIn();
    const page = await context.newPage();
    await opened(page, `https://${hostile}/hostile`);
    const [popup] = await Promise.all([
      context.waitForEvent("page"),
      page.evaluate(
        (url) => {
          Object.assign(window, { opened: window.open(url) });
        },
        address("casecheck", "/check-in"),
      ),
    ]);
    await popup.waitForURL(address("casecheck", "/check-in"));
    await popup.evaluate(() => {
      window.addEventListener("message", () => (document.title = "heard"));
    });
    const closed = await page.evaluate(async () => {
      const { opened: other } = window as unknown as { opened: Window };
      for (let turn = 0; turn < 20; turn++) {
        other.postMessage("hello", "*");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return other.closed;
    });
    const inside = await popup.evaluate(() => ({ opener: window.opener as unknown, title: document.title }));
    expect({ closed, ...inside }).toEqual({ closed: true, opener: null, title: `casecheck.${domain}` });
    const behind = guarded.recorder.of(`casecheck.${domain}`).filter(({ url }) => url === "/check-in");
    expect(behind.map(({ at, headers }) => [at, headers["sec-fetch-mode"], headers["sec-fetch-dest"]])).toEqual([
      ["gate", "navigate", "document"],
      ["casecheck-web:8080", "navigate", "document"],
    ]);
  });

  test.each([
    ["auth", "/logout"],
    ["auth", `/?rd=${encodeURIComponent(`https://auth.${domain}/logout`)}`],
    ["code", "/tui/control/next"],
    ["code", "/session?directory=/tmp"],
  ])("a link to %s%s acts only once the visitor goes on", async (label, path) => {
    const arrived = () => guarded.recorder.of(`${label}.${domain}`).map(({ url }) => url);
    const page = await hostilePage(guarded);
    await go(page, label, path);
    await page.getByRole("link", { name: "Go on" }).waitFor();
    expect(arrived()).not.toContain(path);
    await page.getByRole("link", { name: "Go on" }).click({ noWaitAfter: true });
    const end = Date.now() + 20_000;
    while (!arrived().includes(path) && Date.now() < end) await sleep(50);
    expect(arrived()).toContain(path);
    // It goes with the browser: Chromium now and then does not close a page that is on its way to another site.
  });
});

/** Another program's change of the machine's networks ends what Chromium is loading. */
async function opened(page: Page, url: string): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    const failed = await page.goto(url).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (failed === undefined) return;
    if (!failed.includes("ERR_NETWORK_CHANGED")) throw new Error(failed);
  }
}
