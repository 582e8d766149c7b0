// A front end of CaseCheck at an origin of its own, in a real Chromium that is signed in at the sign-in portal: the rendered edge, CaseCheck's own
// Caddy and the pinned uvicorn and Starlette are real.
import { CasecheckApi } from "../support/casecheck-api";
import { CasecheckWeb } from "../support/casecheck-web";
import { call, pageAt } from "./calls";
import { type Home, openHome } from "./home";

jest.setTimeout(5 * 60_000);

const domain = "home.example.com";
const elsewhere = "cases.example.net";
const target = `https://casecheck.${domain}`;
const settings = { casecheckOrigins: JSON.stringify([`https://${elsewhere}`]) };

let api: CasecheckApi;
let web: CasecheckWeb;
let home: Home;
beforeAll(async () => {
  const stack = { domain, casecheckEnabled: "true", casecheckOpen: "true", ...settings };
  api = await CasecheckApi.start(stack);
  web = await CasecheckWeb.open(stack, api.address);
  const programs = { "casecheck-web:8080": web.port };
  home = await openHome({ domain, hostile: elsewhere, programs, guarded: true, settings });
});
afterAll(async () => {
  await home.stop();
  web.close();
  api.stop();
});

const json = { "content-type": "application/json" };
const good = { ...json, authorization: "Bearer good" };
const arrived = () => home.recorder.of(`casecheck.${domain}`);

test("a page of the named origin calls the API with its token, and reads every answer", async () => {
  const page = await pageAt(home, `https://${elsewhere}/`);
  for (const method of ["GET", "PUT"])
    expect(await call(page, `${target}/v1/visitor`, { method, headers: good })).toBe(
      `200 127.0.0.1 ${target}/v1/visitor`,
    );
  expect(await call(page, `${target}/v1/auth/login`, { method: "POST", headers: json, body: "{}" })).toContain("200 ");
  // A front end renews its token when it reads this.
  expect(await call(page, `${target}/v1/visitor`, { headers: { ...json, authorization: "Bearer old" } })).toContain(
    "401 ",
  );
  await page.close();
});

test("no session rides along, whatever the page asks for", async () => {
  const page = await pageAt(home, `https://${elsewhere}/`);
  const before = arrived().length;
  const answer = await call(page, `${target}/v1/visitor`, { headers: good, credentials: "include" });
  expect(answer).toContain("200 ");
  const seen = arrived().slice(before);
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.map(({ headers }) => headers.cookie)).toEqual(seen.map(() => undefined));
  await page.close();
});

test("a page of another origin, even of an App of this home, reaches nothing", async () => {
  const page = await pageAt(home, `https://donate.${domain}/`);
  const before = arrived().length;
  for (const init of [{ headers: good }, { method: "POST", body: "{}" }, { mode: "no-cors" as const }]) {
    for (const path of ["/v1/visitor", "/v1/auth/login"]) {
      const answer = await call(page, `${target}${path}`, init);
      expect(["kept", "0 "]).toContain(answer);
    }
  }
  expect(arrived().length).toBe(before);
  await page.close();
});

test("the named origin reaches nothing else: no page, no registration, no other App", async () => {
  const page = await pageAt(home, `https://${elsewhere}/`);
  const others = [`${target}/`, `${target}/docs`, `${target}/v1/auth/register`, `https://code.${domain}/session`];
  const before = home.recorder.arrivals.length;
  for (const url of others) {
    expect(await call(page, url, { method: "POST", headers: json, body: "{}", credentials: "include" })).toBe("kept");
    expect(await call(page, url, { method: "POST", body: "{}", mode: "no-cors", credentials: "include" })).toBe("kept");
  }
  expect(home.recorder.arrivals.slice(before)).toEqual([]);
  await page.close();
});
