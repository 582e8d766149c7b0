// The row of keys in the web terminal on a phone: the page that OpenCode's image makes of ttyd's own, by the real ttyd in a real browser.
import { type Browser, type Page, chromium } from "playwright-core";
import { RunningTtyd, realTtyd } from "../support/ttyd";

jest.setTimeout(120_000);

let ttyd: RunningTtyd;
let browser: Browser;
beforeAll(async () => {
  ttyd = await RunningTtyd.start(await realTtyd());
  const root = process.getuid?.() === 0;
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: root ? ["--no-sandbox"] : [] });
});
afterAll(async () => {
  await browser.close();
  ttyd.stop();
});

async function open(options: Parameters<Browser["newContext"]>[0]): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(ttyd.address);
  await page.waitForFunction(() => document.querySelector(".xterm-rows, .xterm-screen canvas") !== null);
  await ready(page);
  return page;
}

/** The program has started, and ttyd's page sends what is typed. */
async function ready(page: Page): Promise<void> {
  await page.waitForFunction(
    `Array.from({ length: term.rows }, (_, row) => term.buffer.active.getLine(row)?.translateToString() ?? "").join("").includes("ready")`,
  );
}

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

describe("on a phone", () => {
  let page: Page;
  beforeEach(async () => {
    page = await open(phone);
  });
  afterEach(async () => {
    await page.context().close();
  });
  const tap = (name: string) => page.getByRole("button", { name, exact: true }).tap();
  /** As the keyboard on a screen does: a text, without a key. */
  const type = (text: string) => page.keyboard.insertText(text);

  it.each([
    ["Escape", "\u001b"],
    ["Tab", "\t"],
    ["/", "/"],
    ["|", "|"],
    ["~", "~"],
    ["-", "-"],
    ["Up", "\u001b[A"],
    ["Down", "\u001b[B"],
    ["Right", "\u001b[C"],
    ["Left", "\u001b[D"],
    ["Page up", "\u001b[5~"],
    ["Page down", "\u001b[6~"],
  ])("%s arrives as a terminal sends it", async (name, text) => {
    await tap(name);
    expect(await ttyd.got(text.length)).toBe(text);
  });

  it("arrows are the others where a program asks for them", async () => {
    await page.evaluate(`new Promise((done) => term.write("\\u001b[?1h", done))`);
    await tap("Up");
    expect(await ttyd.got(3)).toBe("\u001bOA");
  });

  it("Ctrl and Alt are for the next letter, of the screen's keyboard or of the row, and for no other", async () => {
    const pressed = () => page.getByRole("button", { pressed: true }).allTextContents();
    await tap("Ctrl");
    expect(await pressed()).toEqual(["Ctrl"]);
    await type("c");
    expect(await pressed()).toEqual([]);
    await type("c");
    expect(await ttyd.got(2)).toBe("\u0003c");
    await tap("Alt");
    await type("b");
    await tap("Ctrl");
    await tap("Left");
    await tap("Ctrl");
    await tap("Alt");
    await tap("Page up");
    await tap("Ctrl");
    await tap("/");
    await tap("Ctrl");
    await tap("Ctrl");
    await type("dé");
    const text = "\u001bb\u001b[1;5D\u001b[5;7~\u001fd\u00c3\u00a9";
    expect(await ttyd.got(text.length)).toBe(text);
  });

  it("Ctrl leaves a pasted text and the terminal's own answers as they are", async () => {
    await tap("Ctrl");
    await page.evaluate(`new Promise((done) => term.write("\\u001b[6n", done))`);
    expect((await ttyd.got(6)).replace("\u001b", "Esc")).toMatch(/^Esc\[\d+;\d+R$/);
    await type("ls");
    await type("c");
    expect(await ttyd.got(3)).toBe("lsc");
  });

  it("an arrow that is held repeats, and stops", async () => {
    const box = await page.getByRole("button", { name: "Up", exact: true }).boundingBox();
    if (box === null) throw new Error("it has no place");
    await page.mouse.move(box.x + 10, box.y + 10);
    await page.mouse.down();
    const text = await ttyd.got(9);
    expect(text).toBe("\u001b[A".repeat(text.length / 3));
    await page.mouse.up();
    await page.waitForTimeout(500);
    await ttyd.got(0);
    await page.waitForTimeout(300);
    await type("x");
    expect(await ttyd.got(1)).toBe("x");
  });

  it("the keyboard stays: the terminal keeps the focus", async () => {
    await page.locator(".xterm-helper-textarea").focus();
    await tap("Tab");
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("xterm-helper-textarea");
    await ttyd.got(1);
  });

  it("all keys are in reach of a thumb, below the terminal, which takes the rest; also above the screen's keyboard", async () => {
    for (const height of [844, 430]) {
      await page.setViewportSize({ width: 390, height });
      // The page hears of its new size a moment later.
      await page.waitForFunction(
        `innerHeight === ${height} && document.querySelector("#keys").getBoundingClientRect().bottom <= ${height}`,
      );
      const { wide, top, keys } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth,
        top: document.querySelector("#keys")?.getBoundingClientRect().top,
        keys: Array.from(document.querySelectorAll("#keys button"), (one) => {
          const place = one.getBoundingClientRect();
          return {
            width: place.width,
            height: place.height,
            left: place.left,
            right: place.right,
            bottom: place.bottom,
          };
        }),
      }));
      expect([wide, keys.length]).toEqual([390, 14]);
      for (const key of keys) {
        expect(key.height).toBeGreaterThanOrEqual(44);
        expect(key.width).toBeGreaterThanOrEqual(44);
        expect(key.left >= 0 && key.right <= 390 && key.bottom <= height).toBe(true);
      }
      await page.waitForFunction(
        `(() => { const { bottom } = document.querySelector(".xterm-screen").getBoundingClientRect(); return bottom <= ${top} && bottom > ${top} - 50; })()`,
      );
    }
  });

  it("they go on after the connection was cut", async () => {
    ttyd.stop();
    await page.waitForFunction(() => document.body.innerText.includes("to Reconnect"));
    await ttyd.begin();
    await page.evaluate("term.reset()");
    await page.keyboard.press("Enter");
    await ready(page);
    await tap("Tab");
    expect(await ttyd.got(1)).toBe("\t");
  });
});

it("a computer has no such row, and its terminal the whole window", async () => {
  const page = await open({ viewport: { width: 1000, height: 700 } });
  expect(await page.locator("#keys").isVisible()).toBe(false);
  const bottom = (await page.locator(".xterm-screen").boundingBox())?.height ?? 0;
  expect(bottom).toBeGreaterThan(650);
  await page.context().close();
});
