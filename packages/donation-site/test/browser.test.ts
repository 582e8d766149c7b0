// The whole journey of a donor and of an administrator in a real Chromium, at the size of a phone.
import { createServer } from "node:https";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { type Browser, type Page, chromium } from "playwright-core";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { type World, admin, boundDonor, credential, openWorld, origin } from "../testing/kit";

jest.setTimeout(120_000);

let world: World;
let browser: Browser;
let stopServer: () => void;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "donation-browser-"));
  const { key, certificate } = selfSigned(["test"]);
  world = await openWorld();
  const server = serve({
    fetch: (request) => world.service.app.fetch(request),
    port: 0,
    createServer,
    serverOptions: { key, cert: certificate },
  });
  await new Promise((resolve) => server.once("listening", resolve));
  stopServer = () => {
    server.close();
  };
  const { port } = server.address() as AddressInfo;
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--no-first-run",
      `--host-resolver-rules=MAP ${new URL(origin).host} 127.0.0.1:${port}`,
    ],
  });
});
afterAll(async () => {
  await browser.close();
  stopServer();
  await world.stop();
  rmSync(folder, { recursive: true });
});

async function open(locale: string): Promise<Page> {
  const context = await browser.newContext({
    locale,
    ignoreHTTPSErrors: true,
    viewport: { width: 360, height: 640 },
    hasTouch: true,
    isMobile: true,
  });
  context.setDefaultTimeout(20_000);
  return context.newPage();
}

/** Nothing to scroll sideways for, and nothing too small to touch. */
async function fitsPhone(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  for (const control of await page.locator("main button, main .button, main input:not([type=hidden])").all()) {
    expect((await control.boundingBox())?.height).toBeGreaterThanOrEqual(40);
  }
}

async function uploadable(name: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, await credential(world).text());
  return path;
}

test("a donor denies, tries again, binds, donates once, and sees the quota", async () => {
  world.oauth.person = { id: 42, username: "ada" };
  world.newApi.users.set(5, { linuxDoId: "42", quota: 10, used: 0 });
  const page = await open("en-GB");
  await page.goto(origin);
  await fitsPhone(page);
  await page.getByRole("link", { name: "Sign in with Linux Do" }).click();
  await page.locator("#deny").click();
  expect(await page.getByRole("alert").innerText()).toBe("The sign-in was refused or is too old.");
  await page.getByRole("link", { name: "Try again" }).click();
  await page.locator("#allow").click();

  await page.waitForURL(`${origin}/bind`);
  await fitsPhone(page);
  await page.getByLabel("new-api user").fill("6");
  await page.locator("main").getByRole("button", { name: "Link account" }).click();
  expect(await page.getByRole("alert").innerText()).toBe("new-api has no such user.");
  await page.getByRole("link", { name: "Try again" }).click();
  await page.getByLabel("new-api user").fill("5");
  await page.locator("main").getByRole("button", { name: "Link account" }).click();

  await page.waitForURL(`${origin}/donate`);
  await fitsPhone(page);
  const file = await uploadable("claude.json");
  await page.getByLabel("Auth file").setInputFiles(file);
  await page.getByRole("button", { name: "Donate" }).click();
  await page.waitForURL(`${origin}/status`);
  await fitsPhone(page);
  expect(await page.locator("main li").innerText()).toMatch(/claude\s+500\s+quota added/);
  expect(world.newApi.users.get(5)?.quota).toBe(510);

  await page.goto(`${origin}/donate`);
  await page.getByLabel("Auth file").setInputFiles(file);
  await page.getByRole("button", { name: "Donate" }).click();
  expect(await page.getByRole("alert").innerText()).toBe("This credential was donated before.");
  expect(world.newApi.users.get(5)?.quota).toBe(510);
  expect((await page.goto(`${origin}/auth-files`))?.status()).toBe(403);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${origin}/`);
  expect((await page.goto(`${origin}/status`))?.status()).toBe(401);
  await page.context().close();
});

test("who comes back after the session has ended signs in and is where they were, and can unlink", async () => {
  world.oauth.person = { id: 44, username: "grace" };
  world.newApi.users.set(44, { linuxDoId: "44", quota: 0, used: 0 });
  world.service.store.bind(44, 44);
  const page = await open("en-GB");
  await page.context().addCookies([{ name: "__Host-session", value: "x".repeat(43), url: origin, secure: true }]);
  await page.goto(`${origin}/status`);
  await page.locator("#allow").click();
  await page.waitForURL(`${origin}/status`);
  await page.getByText("new-api user: 44").waitFor();

  await page.goto(`${origin}/bind`);
  await fitsPhone(page);
  await page.getByRole("button", { name: "Unlink" }).click();
  await page.waitForURL(`${origin}/bind`);
  await page.getByRole("button", { name: "Unlink" }).waitFor({ state: "detached" });
  expect(world.service.store.binding(44)).toBeUndefined();
  await page.context().close();
});

test("a donor whose quota could not be added reads so, with the number of the donation and a way to a person", async () => {
  const session = await boundDonor(world, 45);
  const page = await open("en-GB");
  await page.context().addCookies([{ name: "__Host-session", value: session, url: origin, secure: true }]);
  world.newApi.fault = "refused";
  await page.goto(`${origin}/donate`);
  await page.getByLabel("Auth file").setInputFiles(await uploadable("unlucky.json"));
  await page.getByRole("button", { name: "Donate" }).click();
  expect(await page.getByRole("alert").innerText()).toContain("the quota could not be added");
  world.newApi.fault = "none";
  await fitsPhone(page);
  const [donation] = world.service.store.donationsOf(45);
  if (donation?.state !== "person") throw new Error("it needs no person");
  expect(await page.locator("main").innerText()).toContain(donation.id);
  expect(await page.getByRole("link", { name: "Write to a person" }).getAttribute("href")).toBe(
    "mailto:help@example.com",
  );
  world.service.store.decide(donation, "refuse", admin.id);
  await page.context().close();
});

test("an administrator reads Chinese, uploads, downloads and deletes an auth file", async () => {
  world.oauth.person = admin;
  world.proxy.files.clear();
  const page = await open("zh-CN");
  await page.goto(origin);
  await page.getByRole("link", { name: "使用 Linux Do 登录" }).click();
  await page.locator("#allow").click();
  await page.getByRole("link", { name: "凭证文件" }).click();
  await page.getByLabel("凭证文件").setInputFiles(await uploadable("mine.json"));
  await page.getByRole("button", { name: "上传" }).click();
  await page.getByText("mine.json").waitFor();
  await fitsPhone(page);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "下载" }).click(),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toBe(world.proxy.files.get("mine.json"));
  await page.getByRole("button", { name: "删除" }).click();
  await page.waitForURL(`${origin}/auth-files`);
  expect(world.proxy.files.size).toBe(0);
  await page.context().close();
});

test("an administrator gives the quota of a donation that needs a person", async () => {
  world.oauth.person = { id: 43, username: "eve" };
  world.newApi.fault = "refused";
  const donor = await boundDonor(world, 43);
  await world.post("/donate", { file: credential(world) }, donor);
  world.newApi.fault = "none";
  world.oauth.person = admin;
  const page = await open("en-GB");
  await page.goto(origin);
  await page.getByRole("link", { name: "Sign in with Linux Do" }).click();
  await page.locator("#allow").click();
  await page.getByRole("link", { name: "Need a person" }).click();
  await fitsPhone(page);
  await page.getByRole("button", { name: "Give quota now" }).click();
  await page.getByText("No donation needs a person.").waitFor();
  expect(world.newApi.users.get(43)?.quota).toBe(500);
  await page.context().close();
});
