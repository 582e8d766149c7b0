import { readFileSync } from "node:fs";
import { join } from "node:path";
import { indexIcons } from "../../components/routes";
import { type Answer, IndexPage, check, domain, now, report, route, routes, session } from "../support/index-page";
import { projectRoot } from "../support/project-root";

let index: IndexPage;
beforeAll(async () => {
  index = await IndexPage.open();
});
afterAll(() => {
  index.close();
});
beforeEach(() => {
  index.report(report());
});

const languageOf = ({ text }: Answer) => /<html lang="([^"]*)">/.exec(text)?.[1];
/** What a reader sees of the page. */
const words = ({ text }: Answer) =>
  text
    .replace(/<head>[\s\S]*<\/head>/, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("the reader's language", () => {
  it.each([
    [undefined, "en"],
    ["", "en"],
    ["*", "en"],
    ["en-US,en;q=0.9", "en"],
    ["zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"],
    ["ZH", "zh-CN"],
    ["zh-Hant-TW;q=0.7, en;q=0.3", "zh-CN"],
    ["en;q=0.3, zh;q=0.7", "zh-CN"],
    ["fr-FR, fr;q=0.9, zh ; q=0.5, en;q=0.4", "zh-CN"],
    ["en, zh;q=0", "en"],
    ["zh;q=0", "en"],
    ["zhx, fr", "en"],
    ["fr", "en"],
    [";;,,q=,zh;q=x", "zh-CN"],
    ["{{.Req}}<script>", "en"],
  ])("of Accept-Language %j is %s", async (header, language) => {
    const answer = await index.get("/", header === undefined ? {} : { "accept-language": header });
    expect([answer.status, languageOf(answer)]).toEqual([200, language]);
    expect(words(answer)).toContain(language === "en" ? "This machine" : "主机");
  });

  it("is the one that the link chose, from then on", async () => {
    const chinese = await index.get("/", { "accept-language": "zh" });
    expect(chinese.text).toContain('<a href="/?lang=en" lang="en" hreflang="en">English</a>');
    const chosen = await index.get("/?lang=en", { "accept-language": "zh" });
    expect([languageOf(chosen), chosen.headers["set-cookie"]]).toEqual([
      "en",
      ["__Host-lang=en; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax"],
    ]);
    const later = await index.get("/", { "accept-language": "zh" }, `${session}; __Host-lang=en`);
    expect([languageOf(later), later.headers["set-cookie"]]).toEqual(["en", undefined]);
  });

  it.each(["/?lang=fr", "/?lang=", "/?lang=en%0d%0aX-A:b", "/?lang=<b>"])("is no other by %s", async (path) => {
    const answer = await index.get(path, { "accept-language": "zh" }, `${session}; __Host-lang=fr`);
    expect([languageOf(answer), answer.headers["set-cookie"], answer.headers["x-a"]]).toEqual([
      "zh-CN",
      undefined,
      undefined,
    ]);
  });

  it("has the same words in both, none of them empty", () => {
    const file = join(projectRoot, "stack-templates/reverse-proxy/live/page/words.json");
    const { en, zh } = JSON.parse(readFileSync(file, "utf8")) as Record<"en" | "zh", Record<string, unknown>>;
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const text of [...Object.values(en), ...Object.values(zh)]) expect(text).not.toBe("");
    for (const [key, text] of Object.entries(en))
      expect([key, JSON.stringify(zh[key]).match(/%[ds]/g)]).toEqual([key, JSON.stringify(text).match(/%[ds]/g)]);
  });
});

describe("what the page says", () => {
  it("is each App's state, since when and version, and what the machine says of itself", async () => {
    const page = words(await index.get("/?lang=en"));
    const when = (seconds: number) => new Date((seconds + 28_800) * 1000).toISOString().slice(0, 16).replace("T", " ");
    const { apps } = report();
    expect(page).toContain("All is well Checked 2 minutes ago, at ");
    expect(page).toContain(
      `OpenCode Up AI coding in the browser · 1.18.33 for 3 days, since ${when(apps["opencode"]?.since ?? 0)}`,
    );
    expect(page).toContain("CaseCheck Down Activities and check-ins · release 0123456789ab for 16 minutes, since ");
    expect(page).toContain("TG Signer Starting Telegram check-ins ");
    expect(page).toContain("Disk / 20.0 of 40.0 GiB free Memory 1.0 of 4.0 GiB free");
    expect(page).toContain("Certificates the first of 5 expires in 67 days");
    expect(page).toContain("Last backup 5 hours ago Last deployment Sign-in portal, 4 days ago");
    expect(page).toContain("All checks (2) disk / 9 MiB are free swap this machine has none");
  });

  it("is in Chinese all the same", async () => {
    const page = words(await index.get("/?lang=zh"));
    expect(page).toContain("一切正常 2 分钟前检查，时间 ");
    expect(page).toMatch(/OpenCode 运行中 浏览器里的 AI 编程 · 1\.18\.33 已 3 天，自 /);
    expect(page).toContain("证书 共 5 个，最早的还有 67 天到期 上次备份 5 小时前 上次部署 登录门户，4 天前");
    expect(page).toContain("磁盘 / 9 MiB are free 交换空间 这台机器没有");
  });

  it("has the texts of the checks in Chinese, with what they name, and marks those that stay in English", async () => {
    const full = report();
    full.checks = [
      check("disk /", "warn", "5120 MiB (12 %) and 90 % of the inodes are free", "look at it"),
      check(
        "data opencode",
        "red",
        "more than its budget of 20 GiB; 21.0 GiB: home 21.0 GiB; largest folders: home/<b> $1 9.0 GiB",
        "x",
      ),
      check("kept data opencode", "ok", "left"),
    ];
    index.report(full);
    const answer = await index.get("/?lang=zh");
    expect(words(answer)).toContain("磁盘 / 可用 5120 MiB（12 %），inode 可用 90 % → look at it");
    expect(words(answer)).toContain("保留的数据 opencode left");
    expect(answer.text).toContain(
      '<span lang="zh-CN">超过预算 20 GiB；21.0 GiB: home 21.0 GiB；最大的文件夹：home/&lt;b&gt; $1 9.0 GiB</span> <span class="fix" lang="en">→ x</span>',
    );
  });

  it("is red as ops status would be, each line with what to do", async () => {
    const bad = { ...report(), backup: { time: now() - 90_000, ok: false }, deploy: null };
    bad.checks.push(check("backup", "red", "the last one failed", "npm run ops -- backup"));
    index.report(bad);
    const page = words(await index.get("/?lang=en"));
    expect(page).toMatch(/1 check is red Checked .* backup the last one failed → npm run ops -- backup This page/);
    expect(page).toContain("Last backup 25 hours ago failed");
    index.report({ ...bad, drill: { time: now() - 90_000, ok: false } });
    expect(words(await index.get("/?lang=en"))).toContain("Last drill of the backups 25 hours ago failed");
    index.report({ ...bad, drill: { time: now() - 90_000, ok: true } });
    expect(words(await index.get("/?lang=zh"))).toContain("上次备份演练 25 小时前");
    index.report(bad);
    expect(page).not.toContain("All is well");
    bad.checks.push(check("swap", "red", "full", "x"));
    index.report(bad);
    expect(words(await index.get("/?lang=zh"))).toContain("有 2 项检查未通过");
  });

  it("shows warnings with what to do, after what is red", async () => {
    const warned = report();
    warned.checks.push(check("data opencode", "warn", "2 GiB are free", "delete"));
    index.report(warned);
    const page = words(await index.get("/?lang=en"));
    expect(page).toMatch(/1 warning Checked .* data opencode 2 GiB are free → delete This page/);
    expect(page).not.toContain("All is well");
    warned.checks.push(check("disk /", "warn", "3 GiB", "x"));
    index.report(warned);
    expect(words(await index.get("/?lang=zh"))).toMatch(/有 2 项警告 .* 数据 opencode 2 GiB are free → delete 磁盘 /);
    warned.checks.push(check("swap", "red", "full", "y"));
    index.report(warned);
    expect(words(await index.get("/?lang=en"))).toMatch(/1 check is red Checked .* swap full → y data opencode 2 GiB/);
  });

  it.each([
    [590, "All is well"],
    [610, "No check for 10 minutes The following is as of "],
    [5 * 86_400, "No check for 5 days The following is as of "],
    // A clock that was put back: how old the report is cannot be known.
    [-3600, "No check for less than a minute The following is as of "],
  ])("of a report that is %d seconds old begins with %s", async (age, verdict) => {
    index.report(report(age));
    const page = words(await index.get("/?lang=en"));
    expect(page).toContain(verdict);
    expect(page.includes("All is well")).toBe(verdict === "All is well");
  });

  it.each([undefined, "", "{", "[]", "null", '"x"', "7", "{}", '{"apps":{}}'])(
    "without a report (%j) is the links of the Apps",
    async (text) => {
      index.report(text);
      const answer = await index.get("/?lang=en");
      expect(answer.status).toBe(200);
      expect(words(answer)).toContain("has not been checked yet");
      expect([...answer.text.matchAll(/<a href="(https:[^"]*)"/g)].map(([, link]) => link)).toEqual([
        ...routes.map(({ subdomain }) => `https://${subdomain}.${domain}/`),
        `https://auth.${domain}/settings/two-factor-authentication`,
        `https://auth.${domain}/logout`,
      ]);
      expect(answer.text).not.toContain("no value");
    },
  );

  it("is whole also with the report of another version, which has nothing else but its time", async () => {
    index.report({ time: now() });
    const answer = await index.get("/?lang=en", { range: "bytes=0-40" });
    expect([answer.status, words(answer)]).toEqual([200, expect.stringContaining("All is well")]);
    expect(answer.text).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(answer.text).not.toMatch(/no value|%!|&lt;nil/);
  });

  it("shows bill, balance, models and traffic of the month against their limits, and what is closed", async () => {
    index.report({ ...report(), traffic: { month: "2026-11", since: 1, bytes: 12_340_000_000 } });
    const bill = { month: "2026-11", currency: "CNY", amount: 21.3, limit: 40, balance: 44.1, days: 55 };
    index.money({ models: { month: "2026-11", usd: 20.5, limit: 20, closed: true }, bill });
    const page = words(await index.get("/?lang=en"));
    expect(page).toContain("Bill of 2026-11 21.30 CNY of 40.00 (53 %) Balance 44.10 CNY, for 55 days");
    expect(page).toContain(
      "Models of OpenCode in 2026-11 20.50 USD of 20.00 (102 %) closed → npm run ops -- cost --allow Traffic sent in 2026-11 12.3 GB",
    );
    expect((await index.get("/")).text).toContain('<b class="bad">20.50 USD of 20.00 (102 %)</b>');
    expect(words(await index.get("/?lang=zh"))).toContain(
      "2026-11 账单 21.30 CNY，上限 40.00（53 %） 余额 44.10 CNY，还可用 55 天",
    );
    index.money({ models: { month: "2026-11", usd: 0, limit: null, closed: false }, fault: "Forbidden.RAM" });
    const less = words(await index.get("/?lang=en"));
    expect(less).toContain(
      "Balance Alibaba Cloud does not tell it: Forbidden.RAM Models of OpenCode in 2026-11 0.00 USD Traffic",
    );
    index.money({ bill: { ...bill, limit: null, days: null } });
    expect(words(await index.get("/?lang=en"))).toContain("Bill of 2026-11 21.30 CNY Balance 44.10 CNY Traffic sent");
    index.money(undefined);
  });

  it.each([
    "",
    "{",
    "[]",
    "null",
    "7",
    "{}",
    '{"bill":{}}',
    '{"models":{"usd":"<b>"}}',
    '{"bill":7,"models":[],"fault":{}}',
  ])("is whole also with a report of costs that is none (%j)", async (text) => {
    index.money(text);
    const answer = await index.get("/?lang=en");
    expect([answer.status, words(answer)]).toEqual([200, expect.stringContaining("All is well")]);
    expect(answer.text).toMatch(/<\/html>\n$/);
    expect(answer.text).not.toMatch(/no value|%!|&lt;nil/);
    index.money(undefined);
  });

  it("is whole also where nothing is set up yet: no backup, certificate, deployment or App that runs", async () => {
    index.report({
      ...report(),
      apps: {},
      releases: {},
      disks: [],
      backup: { time: null, ok: false },
      deploy: null,
      certificate: { count: 0, until: null },
    });
    const answer = await index.get("/?lang=en");
    expect(words(answer)).toContain("Last backup none yet");
    expect(answer.text).not.toMatch(/no value|%!|&lt;nil/);
    index.report({ ...report(), backup: null, certificate: { count: 2, until: now() - 5 } });
    expect(words(await index.get("/?lang=en"))).toContain(
      "Certificates the first of 2 has expired Last backup not set up",
    );
  });
});

describe("before the sign-in", () => {
  it.each(["/", "/?lang=zh", "/index.html", "/manifest.webmanifest", "/style.css", "/page/home.json", "/x"])(
    "%s leads to the portal and says nothing",
    async (path) => {
      const answer = await index.get(path, {}, "");
      expect([answer.status, answer.headers.location]).toEqual([302, `https://auth.${domain}/`]);
      expect(answer.text).not.toMatch(/OpenCode|GiB/);
    },
  );

  it.each(indexIcons)(
    "%s is there, since browsers fetch it without a session, and arrives as it was drawn",
    async (path) => {
      const answer = await index.get(path, {}, "");
      const file = readFileSync(join(projectRoot, "stack-templates/reverse-proxy/live/site", path));
      expect([answer.status, answer.headers["content-type"]]).toEqual([
        200,
        path.endsWith(".svg") ? "image/svg+xml" : "image/png",
      ]);
      expect(answer.body.equals(file)).toBe(true);
      const size = /\d+/.exec(path)?.[0] ?? (path.includes("apple") ? "180" : undefined);
      // https://www.w3.org/TR/png-3/#11IHDR
      if (size) expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([Number(size), Number(size)]);
    },
  );
});

describe("the headers", () => {
  it("let the page do nothing but look as it does, and nobody keep it", async () => {
    const { headers, text } = await index.get("/");
    expect(headers["content-security-policy"]).toContain(
      "default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'",
    );
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    for (const name of ["Accept-Language", "Cookie"]) expect(headers["vary"]).toContain(name);
    expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:|\{\{/);
  });

  it("of the data behind it do not exist: it is no file of the site", async () => {
    for (const path of ["/page/home.json", "/page/report.json", "/../page/report.json", "/%2e%2e/page/report.json"])
      expect((await index.get(path)).status).toBe(404);
  });

  it("say what a manifest is, whose icons are there", async () => {
    const answer = await index.get("/manifest.webmanifest");
    expect(answer.headers["content-type"]).toBe("application/manifest+json");
    const manifest = JSON.parse(answer.text) as { icons: { src: string; sizes: string; purpose?: string }[] };
    expect(manifest).toMatchObject({ name: domain, short_name: "home", start_url: "/", display: "standalone" });
    for (const { src } of manifest.icons) expect(indexIcons).toContain(src);
    expect(manifest.icons.map(({ sizes, purpose }) => [sizes, purpose])).toEqual(
      expect.arrayContaining([
        ["192x192", undefined],
        ["512x512", undefined],
        ["512x512", "maskable"],
      ]),
    );
  });
});

test("a title or a version of the settings becomes no markup either, and no instruction of the template", async () => {
  const nasty = `<b>"'&{{.Host}}{{env "PATH"}}{{"</b>`;
  const other = await IndexPage.open([route("app", nasty, { en: nasty, zh: nasty }, nasty)]);
  try {
    for (const lang of ["en", "zh"]) {
      const { status, text } = await other.get(`/?lang=${lang}`);
      expect(status).toBe(200);
      const escaped = "&lt;b&gt;&#34;&#39;&amp;{{.Host}}{{env &#34;PATH&#34;}}{{&#34;&lt;/b&gt;";
      expect(text.split(escaped)).toHaveLength(4);
      expect(text).not.toContain("<b>");
    }
  } finally {
    other.close();
  }
});
