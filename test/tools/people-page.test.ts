import { accessLine } from "../../ops/commands/access-log";
import { IndexPage, domain, report, routes } from "../support/index-page";

const accounts = {
  operator: "admin",
  people: [
    { name: "jo", mail: "jo@example.com", apps: ["casecheck"] },
    { name: "mia", mail: "mia@example.com", apps: ["opencode", "tg"] },
  ],
};
const sessionOf = (name: string) => `authelia_session=good-${name}`;

let index: IndexPage;
beforeAll(async () => {
  index = await IndexPage.open(routes, accounts);
  index.report(report());
});
afterAll(() => {
  index.close();
});

/** Titles of the Apps that the page links. */
const linked = (text: string) => [...text.matchAll(/<strong>(.*?)<\/strong>/g)].map(([, title]) => title);
const machine = /This machine|All is well|GiB|is red|deployment|class="state/;

describe("the index page of a stack with people", () => {
  it("is the operator's as ever: all Apps, and what the machine says of itself", async () => {
    const { status, text } = await index.get("/", {}, sessionOf("admin"));
    expect([status, linked(text)]).toEqual([200, ["OpenCode", "CaseCheck", "TG Signer"]]);
    expect(text).toMatch(machine);
  });

  it.each([
    ["jo", ["CaseCheck"]],
    ["mia", ["OpenCode", "TG Signer"]],
    // Not in the list: Authelia refuses such an account, and the page has nothing for it.
    ["eve", []],
  ])("shows %s links to %j, second factors and the way out, and nothing of the machine", async (name, titles) => {
    const { status, text, headers } = await index.get("/", {}, sessionOf(name));
    expect([status, linked(text)]).toEqual([200, titles]);
    expect(text).not.toMatch(machine);
    expect(text).toContain(`https://auth.${domain}/settings/two-factor-authentication`);
    expect(text).toContain(`https://auth.${domain}/logout`);
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
  });

  it("is in the reader's language for them, too", async () => {
    const { text } = await index.get("/", { "accept-language": "zh" }, sessionOf("jo"));
    expect(text).toContain('<html lang="zh-CN">');
    expect(text).toContain("活动与签到");
  });

  it.each([
    "/?x",
    "/index.html",
    "/index.html?lang=zh",
    "/INDEX.HTML",
    "/%69ndex.html",
    "//",
    "/./index.html",
    "/x/../index.html",
    "//index.html",
    "/index.html/",
    "/index%2ehtml",
    "/people.html",
    "/people.html?x",
    "/.",
    "/%2e/",
    "/index.html%00",
    "/index.html;x",
  ])("shows a person nothing of the machine at %s", async (path) => {
    const { text } = await index.get(path, {}, sessionOf("jo"));
    expect(text).not.toMatch(machine);
    expect(text).not.toMatch(/OpenCode|TG Signer/);
  });

  it("believes no header of a visitor's about who that is", async () => {
    const { text } = await index.get("/", { "remote-user": "admin" }, sessionOf("jo"));
    expect(text).not.toMatch(machine);
    expect(linked(text)).toEqual(["CaseCheck"]);
  });

  it("leaves who came in the access log, for the history", async () => {
    await index.get("/?marked", {}, sessionOf("mia"));
    for (let tries = 0; tries < 100; tries++) {
      const last = accessLine(index.accessLog().at(-1) ?? "");
      if (last?.path === "/…" && last.user === "mia") return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no such line: ${index.accessLog().at(-1) ?? ""}`);
  });
});

it("without people there is no such page", async () => {
  const alone = await IndexPage.open();
  try {
    expect((await alone.get("/people.html")).status).toBe(404);
  } finally {
    alone.close();
  }
});
