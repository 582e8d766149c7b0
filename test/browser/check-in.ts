// A check-in at CaseCheck as people do it: a screen shows a QR code, and a phone reads it, opens what it leads to and signs in there.
import jsQR from "jsqr";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { toDataURL } from "qrcode";

/** A phone's browser, in the language that the tests read. */
export async function phone(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 3,
    isMobile: true,
    hasTouch: true,
  });
  context.setDefaultTimeout(30_000);
  await context.addInitScript(() => {
    localStorage.setItem("locale", "en-US");
  });
  return context;
}

/** What CaseCheck's page shows for a code: a QR code of the address where one checks in. */
export async function show(page: Page, origin: string, code: string): Promise<void> {
  const picture = await toDataURL(`${origin}/check-in?code=${encodeURIComponent(code)}`);
  await page.goto("about:blank");
  await page.setContent(`<img id="code" width="400" src="${picture}">`);
}

/** What a camera reads that sees this page. */
export async function scan(page: Page): Promise<string> {
  const seen = `data:image/png;base64,${(await page.screenshot()).toString("base64")}`;
  const blank = await page.context().newPage();
  // A letter for each point, dark or light: a long list of numbers takes minutes on its way.
  const { points, width, height } = await blank.evaluate(async (source) => {
    const image = await createImageBitmap(await (await fetch(source)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const drawn = canvas.getContext("2d");
    drawn?.drawImage(image, 0, 0);
    const pixels = drawn?.getImageData(0, 0, image.width, image.height).data ?? [];
    let dark = "";
    for (let at = 0; at < pixels.length; at += 4) dark += (pixels[at] ?? 0) < 128 ? "x" : " ";
    return { points: dark, width: image.width, height: image.height };
  }, seen);
  await blank.close();
  const colours = Array.from(points).flatMap((point) => (point === "x" ? [0, 0, 0, 255] : [255, 255, 255, 255]));
  const found = jsQR(Uint8ClampedArray.from(colours), width, height)?.data;
  if (found === undefined) throw new Error("there is no QR code to be seen");
  return found;
}

/** Opens the address; signs in to CaseCheck, as is asked for the first time; says what the page says then. */
export async function checkIn(page: Page, address: string, login?: { username: string; password: string }) {
  await page.goto(address);
  if (login !== undefined) {
    await page.locator("input[type=text]").fill(login.username);
    await page.locator("input[type=password]").fill(login.password);
    await page.locator("button[type=submit]").tap();
  }
  const said = page.getByText(/^(Check-in recorded successfully|Scan failed\. Please try again)\.$/);
  return (await said.textContent()) ?? "";
}
