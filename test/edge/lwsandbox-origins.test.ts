// A browser SDK of lwsandbox at an origin of its own, in a real Chromium that is signed in at the sign-in portal, at the rendered edge. The server
// behind answers every origin with credentials, as liteboxd does.
import { createServer } from "node:http";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { call, pageAt } from "./calls";
import { type Home, openHome } from "./home";

jest.setTimeout(5 * 60_000);

const domain = "home.example.com";
const elsewhere = "app.example.net";
const api = `https://sandbox.${domain}/api/v1`;
const settings = { lwsandboxOrigins: JSON.stringify([`https://${elsewhere}`]) };

const liteboxd = createServer((request, response) => {
  response
    .setHeader("access-control-allow-origin", request.headers.origin ?? "*")
    .setHeader("access-control-allow-credentials", "true")
    .end(`${request.method ?? ""} ${request.url ?? ""}`);
});

let home: Home;
beforeAll(async () => {
  const port = await listen(liteboxd);
  const programs = { "lwsandbox-server:8080": port, "lwsandbox-gateway:8081": port };
  home = await openHome({ domain, hostile: elsewhere, programs, guarded: true, settings });
});
afterAll(async () => {
  await home.stop();
  liteboxd.close();
});

const key = { authorization: "Bearer lbxk_0123", "content-type": "application/json", "x-request-id": "1" };
const token = { "x-access-token": "0a1b", "content-type": "application/json" };
const arrived = () => home.recorder.of(`sandbox.${domain}`);

test("scripts of the named origin call API and sandboxes with their keys, and read the answers", async () => {
  const page = await pageAt(home, `https://${elsewhere}/`);
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    const body = method === "GET" ? {} : { body: "{}" };
    expect(await call(page, `${api}/sandboxes`, { method, headers: key, ...body })).toBe(
      `200 ${method} /api/v1/sandboxes`,
    );
    const app = `${api}/sandbox/1/port/3000/x`;
    expect(await call(page, app, { method, headers: token, ...body })).toBe(`200 ${method} ${new URL(app).pathname}`);
  }
  expect(await call(page, `${api}/auth/me`, { headers: key })).toBe("200 GET /api/v1/auth/me");
  await page.close();
});

test("without a key, with a session, or where no key is good enough, nothing is let through", async () => {
  const page = await pageAt(home, `https://${elsewhere}/`);
  const before = arrived().length;
  const json = { "content-type": "application/json" };
  for (const init of [{ headers: json }, { credentials: "include" as const }, { method: "POST", body: "{}" }])
    expect(await call(page, `${api}/sandboxes`, init)).toBe("kept");
  for (const path of ["/auth/login", "/auth/api-keys"])
    expect(await call(page, `${api}${path}`, { method: "POST", headers: key, body: "{}" })).toBe("kept");
  // A question that asks for credentials is never answered with a yes.
  expect(await call(page, `${api}/sandboxes`, { headers: key, credentials: "include" })).toBe("kept");
  expect(arrived().length).toBe(before);
  await page.close();
});

test("scripts of every other origin reach nothing, with or without a key", async () => {
  const page = await pageAt(home, `https://donate.${domain}/`);
  const before = arrived().length;
  for (const headers of [key, {}])
    for (const method of ["GET", "POST", "DELETE"])
      expect(await call(page, `${api}/sandboxes`, { method, headers, credentials: "include" })).toBe("kept");
  expect(await call(page, `${api}/sandbox/1/port/3000/x`, { headers: token })).toBe("kept");
  expect(arrived().length).toBe(before);
  await page.close();
});
