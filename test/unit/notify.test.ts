import { newsKinds } from "../../components/notify/news";
import { appriseSchemes } from "../../components/notify/schemes";
import { programWith } from "../support/program";
import { projectRoot } from "../support/project-root";
import { arrivedFiles } from "../support/releases";
import { enabledApps } from "../../components/apps/registry";
import { faultsOf, messageOf, settingsOf } from "../support/settings";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const list = (...urls: unknown[]) => ({ notify: JSON.stringify(urls) });
const url = "ntfys://me:hidden-word@ntfy.example.com/hidden-topic";

describe("the addresses of notify", () => {
  it.each<[Record<string, string>, string[]]>([
    [list(url, "tgram://123:abc/456"), []],
    [{ notify: "ntfys://hidden-topic" }, ["notify is not JSON"]],
    [{ notify: '"ntfys://hidden-topic"' }, ["notify is not a list"]],
    [list(), ["notify is empty: name at least one address"]],
    [list(url, 7), ["notify [1] is not a text"]],
    [list("https://discord.com/api/webhooks/1/hidden"), ["notify [0] has a scheme that Apprise does not know"]],
    [list("telegram://hidden"), ["notify [0] has a scheme that Apprise does not know"]],
    [list("hidden-topic"), ["notify [0] is not an address of Apprise, as ntfys://ntfy.example.com/topic"]],
    [list("ntfys://"), ["notify [0] has nothing behind its scheme"]],
    [list("ntfys://hidden\n.example.com"), ["notify [0] has blanks or control characters"]],
    [list(url, url), ["notify [1] is there twice"]],
    [{ notifyQuietHours: "22:00-07:00" }, ["notifyQuietHours has no effect without notify"]],
    [{ notifyDetails: "true" }, ["notifyDetails has no effect without notify"]],
    [{ ...list(url), notifyQuietHours: "22-7" }, ["notifyQuietHours is not a span of time, as 22:00-07:00"]],
    [{ ...list(url), notifyQuietHours: "24:00-07:00" }, ["notifyQuietHours is not a span of time, as 22:00-07:00"]],
    [{ ...list(url), notifyQuietHours: "07:00-07:00" }, ["notifyQuietHours begins when it ends"]],
    [{ billingKey: '{"id":"a","secret":"hidden"}' }, ["billingKey has no effect without notify"]],
    [{ ...list(url), billingKey: '{"id":"a","secret":"hidden"}', monthlyLimit: "40" }, []],
    [{ ...list(url), billingKey: '{"id":"a"}' }, ["billingKey [secret]"]],
    [{ ...list(url), billingKey: '{"id":"a","secret":"hid den"}' }, ["billingKey [secret] is not an access token"]],
    [{ ...list(url), billingKey: "hidden" }, ["billingKey is not JSON"]],
    [{ ...list(url), monthlyLimit: "40" }, ["monthlyLimit needs billingKey, by which the bill is read"]],
    [{ ...list(url), notifyEvents: '["done","deployed"]' }, [`notifyEvents [1] is none of ${newsKinds.join(", ")}`]],
  ])("%j: %j", (settings, faults) => {
    const found = faultsOf(settings);
    expect(found).toHaveLength(faults.length);
    found.forEach((fault, index) => {
      expect(fault).toContain(faults[index]);
    });
    expect(messageOf(settings)).not.toMatch(/hidden/);
  });

  it("know the services that the documentation names", () => {
    for (const page of ["notifications.md", "notifications.zh-CN.md"]) {
      const text = readFileSync(join(projectRoot, "docs", page), "utf8");
      const schemes = [...text.matchAll(/\b([a-z]+):\/\//g)]
        .map(([, scheme = ""]) => scheme)
        .filter((one) => one !== "https");
      expect(schemes.length).toBeGreaterThan(8);
      expect(schemes.filter((scheme) => !appriseSchemes.includes(scheme))).toEqual([]);
    }
  });
});

describe("the notifier's release", () => {
  const files = async (settings: Readonly<Record<string, string>>) =>
    arrivedFiles(await programWith({ domain: "home.example.com", ...list(url), ...settings }), "notify-release");
  const config = async (settings: Readonly<Record<string, string>>) =>
    JSON.parse((await files(settings)).get("settings.json")?.content ?? "") as Record<string, unknown>;

  it("has the addresses and the server's password in files of its user alone, and in no other", async () => {
    const arrived = await files({});
    expect(arrived.get("urls")).toMatchObject({ content: JSON.stringify([url]), mode: 0o400, uid: 8002 });
    expect(arrived.get("server-password")).toMatchObject({ mode: 0o400, uid: 8002 });
    const others = [...arrived.values()].filter(({ path }) => !/\/(urls|secrets)$/.test(path));
    for (const { content } of others) expect(content).not.toMatch(/hidden-(word|topic)/);
  });

  it("listens to OpenCode of the major that is set, and looks at each name's certificate", async () => {
    expect(await config({ opencodeVersion: "2.1.3" })).toMatchObject({
      sessions: {
        server: "http://opencode-server:4096",
        user: "opencode",
        major: 2,
        page: "https://code.home.example.com",
      },
      edge: { names: ["home.example.com", "code.home.example.com", "auth.home.example.com"] },
      events: newsKinds,
    });
    expect(await config({})).toMatchObject({ sessions: { major: 1 } });
  });

  it("asks for the bill with a key in a file of its user alone, at the site that is set", async () => {
    const key = '{"id":"LTAIhidden-id","secret":"hidden-secret"}';
    const arrived = await files({ billingKey: key, billingSite: "china", monthlyLimit: "300" });
    expect(arrived.get("billing-key")).toMatchObject({ content: key, mode: 0o400, uid: 8002 });
    for (const { path, content } of arrived.values())
      if (!/\/(billing-key|secrets)$/.test(path)) expect(content).not.toContain("hidden-secret");
    expect(await config({ billingKey: key, billingSite: "china", monthlyLimit: "300" })).toMatchObject({
      bill: { endpoint: "https://business.aliyuncs.com/", limit: 300 },
    });
    expect(await config({ billingKey: key })).toMatchObject({
      bill: { endpoint: "https://business.ap-southeast-1.aliyuncs.com/" },
    });
    expect(await config({})).not.toHaveProperty("bill");
    expect([...(await files({})).keys()]).not.toContain("billing-key");
  });

  it("shares the volume of its report with Caddy, which has none without a notifier", async () => {
    const compose = async (settings: Readonly<Record<string, string>>) =>
      (await arrivedFiles(await programWith(settings), "edge-release")).get("compose.yaml")?.content;
    expect(await compose(list(url))).toContain("source: money, target: /srv/money, read_only: true");
    expect(await compose({})).not.toContain("money");
    expect((await files({})).get("compose.yaml")?.content).toContain(
      "money: { name: cloudcode-edge_money, external: true }",
    );
  });

  it.each(["1.18.33", "2.1.3"])(
    "a link to a session is a page that Caddy lets another site open, with %s",
    (opencodeVersion) => {
      const pages = enabledApps(settingsOf({ opencodeVersion }))[0]?.routes[0]?.pages ?? "";
      const folder = Buffer.from("/home/opencode/workspace/über uns?>").toString("base64url");
      expect(`/${folder}/session/ses_0123456789abcdefXYZ`).toMatch(new RegExp(`^(?:${pages})$`));
    },
  );

  it("leaves out what nobody wants: the network of OpenCode and its password, the gateway's database", async () => {
    const arrived = await files({ notifyEvents: '["check"]' });
    const compose = arrived.get("compose.yaml")?.content ?? "";
    expect([...arrived.keys()]).not.toContain("server-password");
    expect(compose).not.toMatch(/opencode|gateway|sign-ins/);
    const off = await files({ opencodeEnabled: "false" });
    expect(off.get("compose.yaml")?.content).not.toContain("opencode");
  });

  it("comes with a network that Caddy joins, and without notify nothing of it is there", async () => {
    const planOf = async (settings: Readonly<Record<string, string>>) =>
      (await arrivedFiles(await programWith(settings), "edge-release")).get("plan")?.content;
    expect(await planOf(list(url))).toContain("network cloudcode-edge-notify\n");
    expect(await planOf({})).not.toContain("notify");
    const names = (await programWith({})).resources.map(({ name }) => name);
    expect(names.filter((name) => name.includes("notify"))).toEqual([]);
  });
});
