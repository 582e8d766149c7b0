import type { KeyRule, Route } from "../../components/routes";
import { Edge } from "../support/edge";
import { siteOf } from "../support/routes";

const key: KeyRule = {
  path: "/api/*",
  except: ["/api/login", "/api/keys/*"],
  header: "Authorization",
  value: "Bearer key_\\w+",
  withoutCookies: ".+",
};
const token: KeyRule = {
  path: "/api/box/*",
  header: "X-Access-Token",
  value: "[0-9a-f]+",
  withoutCookies: "\\bsession=[^;]*(; )?",
  upstream: "app-box:81",
};
const route = siteOf({
  paths: [{ path: "/terminal/*", upstream: "app-terminal:82" }],
  keys: [token, key],
});
const plain: Route = { ...route, subdomain: "plain", keys: [] };

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.open([route, plain]);
});
afterAll(() => {
  edge.close();
});

const bearer = ["Authorization", "Bearer key_1"] as const;
const access = ["X-Access-Token", "0a1b"] as const;

it.each<[string, string, (readonly [string, string])[], string]>([
  ["a key", "/api", [bearer], "app-web:80"],
  ["a key, further down", "/api/things/1?x=/api/login", [bearer], "app-web:80"],
  ["a header's name in other letters", "/api/things", [["aUTHORIZATION", "Bearer key_1"]], "app-web:80"],
  ["no key", "/api/things", [], "gate"],
  ["another App's key", "/api/things", [["Authorization", "Bearer other_1"]], "gate"],
  ["a key behind something else", "/api/things", [["Authorization", "Bearer x Bearer key_1"]], "gate"],
  ["a key before something else", "/api/things", [["Authorization", "Bearer key_1, x"]], "gate"],
  ["an empty key", "/api/things", [["Authorization", "Bearer key_"]], "gate"],
  ["another scheme", "/api/things", [["Authorization", "Basic key_1"]], "gate"],
  ["the scheme in small letters", "/api/things", [["Authorization", "bearer key_1"]], "gate"],
  ["two keys", "/api/things", [bearer, bearer], "gate"],
  ["a key behind another header of the name", "/api/things", [["Authorization", "Basic x"], bearer], "gate"],
  ["a key in another header", "/api/things", [["X-Access-Token", "Bearer key_1"]], "gate"],
  ["a key on a path beside", "/apix", [bearer], "gate"],
  ["a key on the page", "/", [bearer], "gate"],
  ["a key on the terminal", "/terminal/ws", [bearer], "gate"],
  ["a key where none is good enough", "/api/login", [bearer], "gate"],
  ["a key on a folder where none is", "/api/keys", [bearer], "gate"],
  ["a key below it", "/api/keys/1", [bearer], "gate"],
  ["a key there, in capitals", "/API/Keys/1", [bearer], "gate"],
  ["a key there, encoded", "/api%2Fkeys/%31", [bearer], "gate"],
  ["a key there, by a detour", "/api/x/../keys/1", [bearer], "gate"],
  ["a key there, by slashes", "/api//keys/1", [bearer], "gate"],
  ["a token", "/api/box/7/port/80/", [access], "app-box:81"],
  ["a token beside a key", "/api/box/7", [access, bearer], "app-box:81"],
  ["a key without a token", "/api/boxes", [bearer], "app-web:80"],
  ["a token elsewhere", "/api/things", [access], "gate"],
  ["an empty token", "/api/box/7", [["X-Access-Token", ""]], "gate"],
  ["a token of another kind", "/api/box/7", [["X-Access-Token", "x y"]], "gate"],
])("%s at %s: %j arrives at %s", async (_name, path, headers, at) => {
  expect((await edge.get("app", path, headers)).at).toBe(at);
});

it("a host without key rules asks whatever a request carries", async () => {
  expect((await edge.get("plain", "/api/things", [bearer, access])).at).toBe("gate");
});

it("a session of the App's own, or the gate's, does not ride along with a key", async () => {
  const cookie = ["Cookie", "a=1; session=s; authelia_session=g; b=2"] as const;
  const withKey = await edge.get("app", "/api/things", [bearer, cookie]);
  expect([withKey.at, withKey.headers.cookie ?? ""]).toEqual(["app-web:80", ""]);
  const withToken = await edge.get("app", "/api/box/7", [access, cookie]);
  expect([withToken.at, withToken.headers.cookie]).toEqual(["app-box:81", "a=1; b=2"]);
});

it("the key itself arrives, and who the visitor is only the gate may say", async () => {
  const { headers } = await edge.get("app", "/api/things", [bearer, ["Remote-User", "mallory"]]);
  expect([headers.authorization, headers["remote-user"]]).toEqual(["Bearer key_1", undefined]);
});
