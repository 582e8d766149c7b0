import type { AppsWorld } from "../apps/world";

/** `portal`: asks for the gateway's login; a number: the App's own answer. */
type Gets = "portal" | number;

/** Subdomain, path, what a stranger gets, and what the operator gets. */
export type GateRow = readonly [string, string, Gets, Gets];

const table: readonly GateRow[] = [
  ["tg", "/", "portal", 303],
  ["tg", "/healthz", "portal", 200],
  ["tg", "/login", "portal", 200],
  ["tg", "/runs/1/logs/stream", "portal", 303],
  ["donate", "/", 200, 200],
  ["donate", "/style.css", 200, 200],
  ["donate", "/linuxdo/login", 302, 302],
  ["donate", "/linuxdo/callback", 400, 400],
  ["donate", "/linuxdo/callback?code=1&state=2", 400, 400],
  ["donate", "/bind", 401, 401],
  ["donate", "/donate", 401, 401],
  ["donate", "/status", 401, 401],
  ["donate", "/logout", 404, 404],
  ["donate", "/auth-files", "portal", 401],
  ["donate", "/auth-files/download?name=a.json", "portal", 401],
  ["donate", "/donations", "portal", 401],
  ["donate", "/donations/decide", "portal", 404],
  ["donate", "/healthz", "portal", 200],
  ["donate", "/style.css/x", "portal", 404],
  ["donate", "/linuxdo", "portal", 404],
  ["donate", "/bindx", "portal", 404],
  ["donate", "/status/", "portal", 404],
  ["models", "/v1/models", 401, 401],
  ["models", "/v1beta/models", 401, 401],
  ["models", "/", "portal", 200],
  ["models", "/v10/models", "portal", 404],
  ["models", "/management.html", "portal", 404],
  ["models", "/v0/management/auth-files", "portal", 401],
  ["casecheck", "/", "portal", 200],
  ["casecheck", "/check-in", "portal", 200],
  ["casecheck", "/health", "portal", 200],
  ["casecheck", "/v1/activities", "portal", 401],
  ["casecheck", "/docs", "portal", 200],
  // One App's open path on another's host.
  ["tg", "/linuxdo/login", "portal", 404],
  ["donate", "/v1/models", "portal", 404],
  ["models", "/bind", "portal", 404],
  ["casecheck", "/style.css", "portal", 200],
];

/** CaseCheck where it is open to participants. */
export const openCasecheck: readonly GateRow[] = [
  ["casecheck", "/", 200, 200],
  ["casecheck", "/check-in", 200, 200],
  ["casecheck", "/assets/index.js", 200, 200],
  ["casecheck", "/health", 200, 200],
  ["casecheck", "/v1/activities", 401, 401],
  ["casecheck", "/v1/auth/register", "portal", 405],
  ["casecheck", "/docs", "portal", 200],
  ["casecheck", "/openapi.json", "portal", 200],
  ["casecheck", "/check-in/x", "portal", 200],
  ["casecheck", "/v10", "portal", 200],
];

/** What a browser with these headers gets. */
export async function gets(
  world: AppsWorld,
  host: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Gets> {
  const answer = await world.request(host, path, { headers: { accept: "text/html", ...headers } });
  return answer.headers.location?.startsWith(`https://auth.${world.domain}/`) ? "portal" : answer.status;
}

/** Fails with all rows that do not hold. */
export async function holds(world: AppsWorld, rows: readonly GateRow[]): Promise<void> {
  const said = await Promise.all(
    rows.map(async ([host, path]) => [
      host,
      path,
      await gets(world, host, path),
      await gets(world, host, path, { cookie: world.cookie }),
    ]),
  );
  expect(said).toEqual(rows);
}

/** Each Route's policy, path by path. */
export function appGates(world: AppsWorld): void {
  test("what is listed is open, what stands beside it is not", () => holds(world, table));

  test("a host that no App has answers nobody", async () => {
    await expect(world.request("nobody", "/", { headers: { cookie: world.cookie } })).rejects.toThrow();
    const answer = await world.request("donate", "/", { headers: { host: `tg.${world.domain}`, accept: "text/html" } });
    expect([302, 421]).toContain(answer.status);
  });

  test("the model API opens to its own key, and its management to no key from outside", async () => {
    const key = await world.appLogin("Donation site");
    const withKey = (path: string) =>
      world.request("models", path, { headers: { authorization: `Bearer ${key}`, accept: "application/json" } });
    expect((await withKey("/v1/models")).status).toBe(200);
    const refused = await withKey("/v0/management/auth-files");
    expect({ status: refused.status, proxy: refused.body.includes("management key") }).toEqual({
      status: 401,
      proxy: false,
    });
  });
}
