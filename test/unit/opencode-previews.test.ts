import { enabledApps } from "../../components/apps/registry";
import { guestTable, guestsIn, secondsOf } from "../../ops/commands/share";
import { faultsOf, settingsOf } from "../support/settings";
import { HostMachine, release } from "../support/host-machine";

const ports = (...list: unknown[]) => ({ opencodePreviews: JSON.stringify(list) });
const own = "is one of OpenCode's own ports: 4096, 7681, 1080";

describe("opencodePreviews", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["two", ports(3000, 5173), []],
    ["the least and the greatest", ports(1, 65535), []],
    ["the server's", ports(4096), [`opencodePreviews [0] ${own}`]],
    ["the terminal's", ports(3000, 7681), [`opencodePreviews [1] ${own}`]],
    [
      "the terminal's without a terminal",
      { ...ports(7681), opencodeTerminal: "false" },
      [`opencodePreviews [0] ${own}`],
    ],
    ["that of what leads to localhost", ports(1080), [`opencodePreviews [0] ${own}`]],
    ["one twice", ports(3000, 3000), ["opencodePreviews [1] is listed twice"]],
    ["none", ports(0), ["opencodePreviews [0] is below 1"]],
    ["too great a one", ports(65536), ["opencodePreviews [0] is above 65535"]],
    ["a part", ports(80.5), ["opencodePreviews [0] is not a whole number"]],
    ["a text", ports("3000"), ["opencodePreviews [0] is not a whole number"]],
    ["no list", { opencodePreviews: "3000" }, ["opencodePreviews is not a list"]],
    ["no JSON", { opencodePreviews: "3000,5173" }, ["opencodePreviews is not JSON"]],
    [
      "the name of another App",
      { ...ports(3000), opencodeSubdomain: "app", casecheckEnabled: "true", casecheckSubdomain: "3000-app" },
      ["opencodePreviews makes a subdomain that is already the subdomain of casecheckSubdomain"],
    ],
    [
      "a name that is too long",
      { ...ports(65535), opencodeSubdomain: "a".repeat(60) },
      ["opencodePreviews [0] makes a subdomain of more than 63 characters"],
    ],
  ])("%s", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it("makes a site of each, with two factors and no path without them", () => {
    const [, ...previews] =
      enabledApps(settingsOf({ ...ports(3000, 5173), opencodeSubdomain: "dev" }))[0]?.routes ?? [];
    const common = {
      upstream: "opencode-server:1080",
      network: "cloudcode-edge-opencode",
      policy: "two_factor",
      paths: [],
    };
    expect(previews).toMatchObject([
      { ...common, subdomain: "3000-dev", localPort: 3000 },
      { ...common, subdomain: "5173-dev", localPort: 5173 },
    ]);
    expect(previews.some(({ upstreamLogin, keys, basicAuth }) => upstreamLogin ?? keys ?? basicAuth)).toBe(false);
  });

  it("changes nothing of OpenCode's own release, so that what runs there goes on", () => {
    const values = (settings: Record<string, string>) =>
      JSON.stringify(enabledApps(settingsOf(settings))[0]?.release("home.example.com").values);
    expect(values(ports(3000))).toBe(values({}));
  });
});

describe("a guest's time", () => {
  it.each([
    ["30m", 1800],
    ["1h", 3600],
    ["7d", 604_800],
    ["168h", 604_800],
    ["169h", undefined],
    ["8d", undefined],
    ["0m", undefined],
    ["1", undefined],
    ["-1h", undefined],
    ["1.5h", undefined],
    ["1w", undefined],
    ["1h30m", undefined],
    ["", undefined],
  ])("%s is %s seconds", (time, seconds) => {
    expect(secondsOf(time)).toBe(seconds);
  });

  it("is listed, the first that ends in front", () => {
    const text = "0123abcd 5173 1795903200\nnot a line\n4567cdef 3000 1795899600\n";
    expect(guestTable(guestsIn(text))).toBe(
      "4567cdef  port 3000  until 2026-11-28 21:00 UTC\n0123abcd  port 5173  until 2026-11-28 22:00 UTC",
    );
    expect(guestTable([])).toContain("There is no guest");
  });
});

describe("cloudcode-host disconnect", () => {
  let host: HostMachine;
  beforeEach(() => {
    host = new HostMachine();
  });
  afterEach(() => {
    host.destroy();
  });

  it("reloads the release that runs under a name of its own each time, and starts nothing", async () => {
    const command = "env RELEASE={release} caddy reload --config {release}/live/Caddyfile";
    await host.apply(release("r1", { reload: { service: "web", command } }));
    host.calls();
    expect(host.run(["disconnect", "app"], "").status).toBe(0);
    expect(host.run(["disconnect", "app"], "").status).toBe(0);
    const calls = host.calls();
    expect(calls.filter((call) => / (up|down|stop) /.test(call))).toEqual([]);
    const names = calls.flatMap(
      (call) => / exec -T web env RELEASE=(\S+) caddy reload --config (\S+)/.exec(call)?.slice(1) ?? [],
    );
    expect(names).toEqual([
      expect.stringMatching(/^r1-\d{19}$/),
      "/srv/releases/r1/live/Caddyfile",
      expect.stringMatching(/^r1-\d{19}$/),
      "/srv/releases/r1/live/Caddyfile",
    ]);
    expect(names[0]).not.toBe(names[2]);
    expect(host.current()).toBe("r1");
  });

  it("says so where nothing runs", () => {
    expect(host.run(["disconnect", "app"], "")).toEqual({
      status: 1,
      said: ["cloudcode: app does not run on this host"],
    });
  });
});
