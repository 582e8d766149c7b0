// The other side of the check: what an App's own pages, the portal and API clients do still works, in a real Chromium.
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { type World, openWorld } from "@cloudcode/donation-site/testing/kit";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { basicLogin, type Home, openHome } from "./home";

jest.setTimeout(90_000);

// The donation site's kit stands there.
const domain = "home.example.com";
const hostile = "elsewhere.example.net";

let donations: World;
let home: Home;
beforeAll(async () => {
  donations = await openWorld();
  const answer = getRequestListener((request) => donations.service.app.fetch(request));
  const site = createServer((request, response) => void answer(request, response));
  const programs = {
    "donation-site:3000": await listen(site),
  };
  const settings = { tgSignerOuterLogin: "basic", tgSignerBasicUsername: basicLogin.username };
  home = await openHome({ domain, hostile, programs, guarded: true, settings });
});
afterAll(async () => {
  await home.stop();
  await donations.stop();
});

/** With what its site refused, and what the browser kept from it. */
async function open(url: string): Promise<{ readonly page: Page; readonly refused: string[] }> {
  const page = await home.context.newPage();
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.status() === 403) refused.push(response.url());
  });
  page.on("console", (message) => {
    if (/Cross-Origin|CORS|frame-ancestors|ERR_BLOCKED/.test(message.text())) refused.push(message.text());
  });
  await page.goto(url);
  return { page, refused };
}

test("an App's forms, uploads, frames, workers and beacons carry its own origin and pass", async () => {
  const { page, refused } = await open(`https://casecheck.${domain}/check-in`);
  const host = `casecheck.${domain}`;
  await page.evaluate(async () => {
    const form = new FormData();
    form.set("file", new File(["x".repeat(1_000_000)], "x.bin"));
    await fetch("/own-fetch", { method: "POST", body: form });
    await new Promise((resolve) => {
      const upload = new XMLHttpRequest();
      upload.open("PUT", "/own-xhr");
      upload.onload = resolve;
      upload.send(form);
    });
    navigator.sendBeacon("/own-beacon", "x");
    await navigator.serviceWorker.register("/sw.js");
    const frame = document.createElement("iframe");
    frame.src = "/own-frame";
    document.body.append(frame);
    await new Promise((resolve) => (frame.onload = resolve));
    if (frame.contentDocument?.title !== location.host) throw new Error("the frame is not readable");
    const image = document.createElement("img");
    image.src = "/own-image";
    document.body.append(image);
  });
  await page.evaluate(() => {
    document.body.innerHTML =
      '<form method="POST" action="/own-form" enctype="multipart/form-data"><input name="a"><button>Send</button></form>';
  });
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("heading", { name: "POST" }).waitFor();
  const arrived = home.recorder.of(host).filter(({ at }) => at === "casecheck-web:8080");
  expect(arrived.map(({ url }) => url)).toEqual(
    expect.arrayContaining(["fetch", "xhr", "beacon", "frame", "image", "form"].map((kind) => `/own-${kind}`)),
  );
  const origins = new Set(arrived.filter(({ method }) => method !== "GET").map(({ headers }) => headers.origin));
  expect([...origins]).toEqual([`https://${host}`]);
  expect(refused).toEqual([]);
  await page.close();
});

test("a site with a password of Caddy's own takes it, and nothing from elsewhere with it", async () => {
  const page = await home.context.newPage();
  const [name, word] = [basicLogin.username, encodeURIComponent(basicLogin.password)];
  await page.goto(`https://${name}:${word}@tg.${domain}/`);
  expect(await page.title()).toBe(`tg.${domain}`);
  const before = home.recorder.of(`tg.${domain}`).length;
  await page.goto(`https://${hostile}/hostile`);
  await page.evaluate(async (url) => {
    await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: new Blob(["x"]) }).catch(
      () => undefined,
    );
  }, `https://tg.${domain}/login`);
  expect(home.recorder.of(`tg.${domain}`).length).toBe(before);
  await page.close();
});

test("the portal sends people on to the page they wanted, and its own pages lead to each other", async () => {
  const { page, refused } = await open(`https://auth.${domain}/`);
  for (const url of [`https://auth.${domain}/logout`, `https://casecheck.${domain}/check-in?code=1`]) {
    await page.evaluate((next) => {
      setTimeout(() => (location.href = next));
    }, url);
    await page.waitForURL(url);
  }
  expect(refused).toEqual([]);
  await page.close();
});

test("who is signed out is sent to the portal, and a script's call just fails", async () => {
  const { page } = await open(`https://casecheck.${domain}/check-in`);
  const session = await home.context.cookies();
  await home.context.clearCookies();
  const failed = await page.evaluate(() =>
    fetch("/v1/activities").then(
      ({ status }) => String(status),
      () => "failed",
    ),
  );
  expect(failed).toBe("failed");
  await page.reload();
  expect(new URL(page.url()).hostname).toBe(`auth.${domain}`);
  await home.context.addCookies(session);
  await page.close();
});

test("a donor comes back from the sign-in elsewhere, binds, uploads and has the quota", async () => {
  donations.oauth.person = { id: 42, username: "ada" };
  donations.newApi.users.set(5, { linuxDoId: "42", quota: 10, used: 0 });
  donations.proxy.accounts.set("accepted", "ada");
  const { page, refused } = await open(`https://donate.${domain}/`);
  await page.getByRole("link", { name: "Sign in with Linux Do" }).click();
  await page.locator("#allow").click();
  await page.waitForURL(`https://donate.${domain}/bind`);
  await page.getByLabel("new-api user").fill("5");
  await page.locator("main").getByRole("button", { name: "Link account" }).click();
  await page.waitForURL(`https://donate.${domain}/donate`);
  const text = JSON.stringify({ type: "claude", access_token: "accepted", refresh_token: "r" });
  await page
    .getByLabel("Auth file")
    .setInputFiles({ name: "c.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await page.getByRole("button", { name: "Donate" }).click();
  await page.waitForURL(`https://donate.${domain}/status`);
  expect(donations.newApi.users.get(5)?.quota).toBe(510);
  expect(refused).toEqual([]);
  await page.close();
});

test("a page elsewhere calls the model API with a key, and without any session", async () => {
  const page = await home.context.newPage();
  await page.goto(`https://${hostile}/hostile`);
  const statuses = await page.evaluate(async (url) => {
    const headers = { authorization: "Bearer key", "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: "{}", credentials: "omit" });
    await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" });
    return answer.status;
  }, `https://models.${domain}/v1/chat/completions`);
  expect(statuses).toBe(200);
  await sleep(200);
  const arrived = home.recorder.of(`models.${domain}`);
  expect(arrived.filter(({ at }) => at === "donation-proxy:8317").map(({ method }) => method)).toEqual([
    "OPTIONS",
    "POST",
    "POST",
  ]);
  expect(arrived.flatMap(({ headers }) => headers.cookie ?? [])).toEqual([]);
  await page.close();
});
