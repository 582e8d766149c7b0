import type { AppsWorld } from "../apps/world";
import { type GateRow, gets, holds } from "../scenarios/apps-gate";
import type { Box, Liteboxd } from "./liteboxd";

/** With a login of the gateway's and none of liteboxd's. */
const table: readonly GateRow[] = [
  ["sandbox", "/", "portal", 200],
  ["sandbox", "/templates", "portal", 200],
  ["sandbox", "/health", "portal", 200],
  ["sandbox", "/api/v1/auth/me", "portal", 401],
  ["sandbox", "/api/v1/auth/api-keys", "portal", 401],
  ["sandbox", "/api/v1/sandboxes", "portal", 401],
  ["sandbox", "/api/v1/sandbox/1/port/3000/", "portal", 401],
  ["sandbox", "/api/v10/sandboxes", "portal", 200],
  ["tg", "/api/v1/sandboxes", "portal", 404],
  ["casecheck", "/api/v1/sandbox/1/port/3000/", "portal", 200],
];

/** Who may pass the gateway without a login, path by path and header by header. */
export function lwsandboxGate(world: AppsWorld, liteboxd: Liteboxd, box: () => Box): void {
  test("behind the gate is all of it", () => holds(world, table));

  test("a key opens what is listed for it, in no other spelling, and on no other host", async () => {
    const rows: readonly (readonly [string, string, "portal" | number])[] = [
      ["sandbox", "/api/v1/sandboxes", 200],
      ["sandbox", "/api/v1/auth/me", 200],
      ["sandbox", "/api/v1/no-such-thing", 404],
      ["sandbox", "/", "portal"],
      ["sandbox", "/templates", "portal"],
      ["sandbox", "/health", "portal"],
      ["sandbox", "/api/v1", 404],
      ["sandbox", "/api/v10/sandboxes", "portal"],
      ["sandbox", "/api/v1/auth", "portal"],
      ["sandbox", "/api/v1/auth/me/", "portal"],
      ["sandbox", "/api/v1/auth/login", "portal"],
      ["sandbox", "/api/v1/auth/logout", "portal"],
      ["sandbox", "/api/v1/auth/change-password", "portal"],
      ["sandbox", "/api/v1/auth/api-keys", "portal"],
      ["sandbox", "/api/v1/auth/api-keys/1", "portal"],
      ["sandbox", "/api/v1/AUTH/api-keys", "portal"],
      ["sandbox", "/api/v1//auth/api-keys", "portal"],
      ["sandbox", "/api/v1/x/../auth/api-keys", "portal"],
      ["sandbox", "/api/v1/%61uth/api-keys", "portal"],
      ["sandbox", "/api/v1/sandbox/1/port/3000/", "portal"],
      ["tg", "/api/v1/sandboxes", "portal"],
      ["casecheck", "/api/v1/sandboxes", "portal"],
    ];
    const said = await Promise.all(
      rows.map(async ([host, path]) => [host, path, await gets(world, host, path, liteboxd.withKey)]),
    );
    expect(said).toEqual(rows);
  });

  test("a sandbox's token opens its gateway, and nothing beside it", async () => {
    const { id, accessToken } = box();
    const rows: readonly (readonly [string, "portal" | number])[] = [
      [`/api/v1/sandbox/${id}/port/3000/hello`, 200],
      ["/api/v1/sandbox/0a1b/port/3000/hello", 404],
      ["/api/v1/sandbox", 404],
      ["/api/v1/sandboxes", "portal"],
      ["/api/v1/auth/me", "portal"],
      ["/api/v1/auth/api-keys", "portal"],
      [`/api/v1/sandbox/../auth/api-keys`, "portal"],
      ["/", "portal"],
    ];
    const headers = { "x-access-token": accessToken };
    const said = await Promise.all(rows.map(async ([path]) => [path, await gets(world, "sandbox", path, headers)]));
    expect(said).toEqual(rows);
  });

  test.each([
    ["authorization", "Bearer "],
    ["authorization", "Bearer lbxk_"],
    ["authorization", "Bearer eyJhbGciOi"],
    ["authorization", "Bearer xlbxk_0123"],
    ["authorization", "Bearer lbxk_0123, Bearer eyJ"],
    ["authorization", "Basic bGJ4a18wMTIzOng="],
    ["x-access-token", ""],
    ["x-access-token", "lbxk_0123"],
    ["x-access-token", "no such token"],
    ["x-api-key", "lbxk_0123"],
  ])("with %s: %s everything asks for the gate's login", async (name, value) => {
    for (const path of ["/api/v1/sandboxes", "/api/v1/auth/me", "/api/v1/sandbox/1/port/3000/"])
      expect([path, await gets(world, "sandbox", path, { [name]: value })]).toEqual([path, "portal"]);
  });

  test("a key that is none gets liteboxd's refusal, and a cookie beside it does not help", async () => {
    const session = (await liteboxd.login(await world.appLogin("lwsandbox"))).headers["set-cookie"]?.[0] ?? "";
    const cookie = `${world.cookie}; ${session.split(";")[0] ?? ""}`;
    expect(await gets(world, "sandbox", "/api/v1/sandboxes", { cookie })).toBe(200);
    const authorization = "Bearer lbxk_0123";
    expect(await gets(world, "sandbox", "/api/v1/sandboxes", { authorization, cookie })).toBe(401);
  });
}
