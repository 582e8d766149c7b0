import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { listed } from "../support/hostile";
import { IndexPage, check, domain, now, report } from "../support/index-page";
import { projectRoot } from "../support/project-root";

let index: IndexPage;
let browser: Browser;
beforeAll(async () => {
  index = await IndexPage.open();
  browser = await index.browser();
});
afterAll(async () => {
  await browser.close();
  index.close();
});

/** What HTML makes of line ends and of letters that no text has. */
const asParsed = (text: string) =>
  text
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")
    .replaceAll("\0", "\ufffd")
    .replace(/\r\n?/g, "\n");

test("no text of the report or of the settings becomes markup, whatever is in it", async () => {
  const page = await (await browser.newContext()).newPage();
  /** Element names in their order, and the texts that are in question, as a browser reads them. */
  const read = (html: string) =>
    page.evaluate((source) => {
      const parsed = new DOMParser().parseFromString(source, "text/html");
      const texts = (selector: string) => Array.from(parsed.querySelectorAll(selector)).map((one) => one.textContent);
      return {
        elements: Array.from(parsed.querySelectorAll("*")).map(
          (one) =>
            `${one.tagName} ${Array.from(one.attributes)
              .map(({ name }) => name)
              .join(" ")}`,
        ),
        names: texts("details b"),
        seen: texts("details li > span:not(.fix)"),
        fixes: texts("details .fix"),
        places: texts("dt"),
        deployed: texts("dd"),
        versions: texts(".apps small"),
      };
    }, html);
  const wicked = fc.oneof(
    fc.constantFrom(
      ...listed,
      "</li><script>alert(1)</script>",
      '" onload="x',
      "<!--",
      "]]>",
      "&#60;b&#62;",
      "{{.Req.Host}}",
    ),
    fc.string({ unit: "binary", maxLength: 30 }),
  );
  const hostile = (text: string) => {
    const whole = report();
    return {
      ...whole,
      checks: [check(`x${text}`, "ok", `s${text}`, `f${text}`)],
      releases: { casecheck: `r${text}` },
      disks: [{ place: `p${text}`, size: 10, free: 5 }],
      deploy: { time: now(), stack: `d${text}`, ok: true },
    };
  };
  const fetched = async (text: string, lang: string) => {
    index.report(hostile(text));
    const answer = await index.get(`/?lang=${lang}`);
    expect(answer.status).toBe(200);
    return read(answer.text);
  };
  const plain = { en: await fetched("plain", "en"), zh: await fetched("plain", "zh") };
  await fc.assert(
    fc.asyncProperty(wicked, fc.constantFrom("en" as const, "zh" as const), async (text, lang) => {
      const seen = await fetched(text, lang);
      const has = asParsed(text);
      expect(seen.elements).toEqual(plain[lang].elements);
      expect(seen.names).toEqual([`x${has}`]);
      expect(seen.seen).toEqual([`s${has}`]);
      expect(seen.fixes).toEqual([`→ f${has}`]);
      expect(seen.places[0]).toMatch(/^(Disk|磁盘) p/);
      expect(seen.places[0]?.slice(seen.places[0].indexOf(" ") + 1)).toBe(`p${has}`);
      expect(seen.deployed.some((one) => one.includes(`d${has}`))).toBe(true);
      expect(seen.versions.some((one) => one.includes(`r${has}`))).toBe(true);
    }),
    { numRuns: 120 },
  );
});

describe("in a real browser, on a phone", () => {
  async function open(options: BrowserContextOptions, { lang = "en", age = 130, red = false } = {}) {
    const long = "averylongname".repeat(12);
    const whole = report(age);
    if (red) whole.checks.push(check(`container ${long}`, "red", long, `npm run ops -- logs ${long}`));
    index.report({ ...whole, disks: [...whole.disks, { place: `/${long}`, size: 5, free: 1 }] });
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, ...options });
    await context.addCookies([
      { name: "authelia_session", value: "good", domain, path: "/", secure: true, httpOnly: true, sameSite: "Lax" },
    ]);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("console", (message) => faults.push(message.text()));
    page.on("requestfailed", (sent) => faults.push(sent.url()));
    page.on("response", (answer) => {
      if (answer.status() !== 200) faults.push(`${answer.status()} ${answer.url()}`);
    });
    await page.goto(`https://${domain}/?lang=${lang}`);
    await page.locator("summary").click();
    return { page, context, faults };
  }
  const closed = (context: BrowserContext) => context.close();

  it.each([
    ["light", "en", 130, false],
    ["dark", "zh", 130, false],
    ["light", "zh", 130, true],
    ["dark", "en", 130, true],
    ["light", "en", 4000, false],
    ["dark", "en", 4000, true],
  ] as const)(
    "%s, %s, %d s old, red: %s: it fits, reads well, and breaks no rule of its own",
    async (colorScheme, lang, age, red) => {
      const { page, context, faults } = await open({ colorScheme, javaScriptEnabled: true }, { lang, age, red });
      const seen = await page.evaluate(() => {
        const channels = (colour: string) => (/\d+(\.\d+)?/g[Symbol.match](colour) ?? []).map(Number);
        const luminance = (colour: string) => {
          const [r = 0, g = 0, b = 0] = channels(colour).map((value) => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const backOf = (element: Element | null): string => {
          if (element === null) return "rgb(255, 255, 255)";
          const back = getComputedStyle(element).backgroundColor;
          return channels(back)[3] === 0 ? backOf(element.parentElement) : back;
        };
        // https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
        const contrast = (element: Element) => {
          const [one, two] = [luminance(getComputedStyle(element).color), luminance(backOf(element))];
          return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
        };
        const own = (element: Element) =>
          Array.from(element.childNodes).some((node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "");
        const texts = Array.from(document.body.querySelectorAll("*")).filter(own);
        return {
          wide: document.documentElement.scrollWidth,
          back: luminance(getComputedStyle(document.documentElement).backgroundColor),
          texts: texts.length,
          pale: texts.filter((element) => contrast(element) < 4.5).map((element) => element.outerHTML.slice(0, 80)),
          small: Array.from(document.querySelectorAll("header a, nav a, .apps a, summary"))
            .filter((element) => element.getBoundingClientRect().height < 44)
            .map((element) => element.outerHTML.slice(0, 80)),
          nameless: Array.from(document.querySelectorAll("a, summary, meter"))
            .filter((element) => !(element.getAttribute("aria-label") ?? element.textContent))
            .map((element) => element.outerHTML),
          headings: document.querySelectorAll("h1").length,
          scripts: document.scripts.length,
        };
      });
      expect(seen).toMatchObject({ wide: 390, pale: [], small: [], nameless: [], headings: 1, scripts: 0 });
      expect(seen.texts).toBeGreaterThan(20);
      expect(seen.back > 0.5).toBe(colorScheme === "light");
      expect(faults).toEqual([]);
      await closed(context);
    },
  );

  it("says after five minutes, without a script, that it is to be loaded again", async () => {
    const { page, context } = await open({ javaScriptEnabled: true });
    const notice = page.locator(".loaded");
    expect(await notice.isVisible()).toBe(false);
    const after = (milliseconds: number) =>
      page.evaluate((time) => {
        for (const animation of document.getAnimations()) animation.currentTime = time;
      }, milliseconds);
    await after(299_000);
    expect(await notice.isVisible()).toBe(false);
    await after(300_100);
    expect(await notice.isVisible()).toBe(true);
    await closed(context);
  });

  it("can be installed: the manifest comes with the session, and its icons too", async () => {
    const { page, context } = await open({});
    const devtools = await context.newCDPSession(page);
    const { url, errors } = await devtools.send("Page.getAppManifest");
    expect({ url, errors }).toEqual({ url: `https://${domain}/manifest.webmanifest`, errors: [] });
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
    await closed(context);
  });

  // The README's pictures: CLOUDCODE_SCREENSHOTS=docs/screenshots, and a system with a font for Chinese.
  it.each([
    ["index", "light", "en", false],
    ["index-dark", "dark", "en", true],
    ["index.zh-CN", "light", "zh", false],
    ["index-dark.zh-CN", "dark", "zh", true],
  ] as const)("is the small picture %s", async (name, colorScheme, lang, red) => {
    const { page, context } = await open({ colorScheme }, { lang });
    const whole = report();
    const apps = {
      ...whole.apps,
      tg: { state: "up", since: now() - 7200 },
      casecheck: { state: "up", since: now() - 9e5 },
    };
    if (red) {
      apps.casecheck = { state: "down", since: now() - 960 };
      whole.checks.push(
        check(
          "container casecheck/web",
          "red",
          "exited, exit code 1",
          "read its last log lines: npm run ops -- logs casecheck",
        ),
      );
    }
    index.report({ ...whole, apps, releases: { tg: "c300d73", casecheck: "3b30a58" } });
    await page.goto(`https://${domain}/`);
    const picture = await page.screenshot();
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20), picture.length < 150_000]).toEqual([390, 844, true]);
    const folder = process.env["CLOUDCODE_SCREENSHOTS"];
    if (folder !== undefined) writeFileSync(join(projectRoot, folder, `${name}.png`), picture);
    await closed(context);
  });
});
