// What liteboxd would take and could not do here: the edge says so. The real Caddy with the App's own Route, before an upstream that echoes.
import { enabledApps } from "../../components/apps/registry";
import { type Arrival, Edge, type HeaderList } from "../support/edge";
import { settingsOf } from "../support/settings";

const apps = enabledApps(settingsOf({ domain: "home.example.com", lwsandboxEnabled: "true" }));
const routes = apps.find(({ name }) => name === "lwsandbox")?.routes ?? [];

let edge: Edge;
beforeAll(async () => {
  edge = await Edge.open(routes, { gateSays: 200 });
});
afterAll(() => {
  edge.close();
});

const templates = "/api/v1/templates";
const server = "lwsandbox-server:8080";
const send = (body: string, headers: HeaderList, path = templates, method = "POST") =>
  edge.get("sandbox", path, [["Content-Length", String(Buffer.byteLength(body))], ...headers], method, body);
const words = ({ at, answer }: Arrival) =>
  at === "edge" ? [answer.status, (JSON.parse(answer.body) as { error: string }).error] : at;

const json = (spec: object) => JSON.stringify({ name: "t", spec: { image: "i", ttl: 60, ...spec } });
const yaml = (...lines: readonly string[]) =>
  ["--b", 'Content-Disposition: form-data; name="file"', "", "kind: SandboxTemplate", "spec:", ...lines, "--b--"].join(
    "\r\n",
  );

const domains = [422, expect.stringMatching(/^allowedDomains does not work here: .*Cilium/)];
const persistent = [422, expect.stringMatching(/^Persistent sandboxes do not work here: /)];

describe.each<[string, HeaderList]>([
  ["of the pages", []],
  ["with a key", [["Authorization", "Bearer lbxk_0123"]]],
])("a template %s", (_name, headers) => {
  it.each<[string, string, unknown]>([
    ["allowed domains", json({ network: { allowInternetAccess: true, allowedDomains: ["a.example"] } }), domains],
    ["them in other letters", '{"spec":{"network":{"ALLOWEDDOMAINS" : [ "a.example"]}}}', domains],
    ["them in a file", yaml("  network:", "    allowedDomains:", "      - a.example"), domains],
    ["them on one line of a file", yaml("  network:", "    allowedDomains: [a.example]"), domains],
    [
      "them in one object of a file",
      yaml("  network: { allowInternetAccess: true, allowedDomains: [a.example] }"),
      domains,
    ],
    ["persistence", json({ persistence: { enabled: true } }), persistent],
    ["persistence with a size", json({ persistence: { size: "1Gi", enabled: true } }), persistent],
    ["it in a file", yaml("  persistence:", "    size: 1Gi", "    enabled: true"), persistent],
    ["it in one object of a file", yaml("  x: {image: i, persistence: { enabled: true }, ttl: 60}"), persistent],
    ["it on one line of a file", yaml("  persistence: {mode: rootfs-overlay, enabled: true}"), persistent],
  ])("that asks for %s is refused in words", async (_name, body, answer) => {
    expect(words(await send(body, headers))).toEqual(answer);
    expect(words(await send(body, headers, `${templates}/t`, "PUT"))).toEqual(answer);
    expect(words(await send(body, headers, `${templates}/import`))).toEqual(answer);
    expect((await send(body, headers, "/api/v1/sandboxes")).at).toBe(server);
  });

  it.each<[string, string]>([
    ["asks for neither", json({ network: { allowInternetAccess: true } })],
    ["has empty lists", json({ network: { allowedDomains: [] }, persistence: { enabled: false } })],
    ["has the words in a script", json({ startupScript: '{"allowedDomains":["x"],"persistence":{"enabled":true}}' })],
    [
      "is a file that asks for neither",
      yaml("  network: {allowedDomains: []}", "  persistence:", "    enabled: false"),
    ],
    ["is empty", ""],
    ["is as large as is looked into", json({ startupScript: "x".repeat(99_900) })],
    ["is larger", json({ startupScript: "x".repeat(2_000_000) })],
  ])("that %s arrives whole", async (_name, body) => {
    const { at, length } = await send(body, headers);
    expect({ at, length }).toEqual({ at: server, length: Buffer.byteLength(body) });
  });
});
