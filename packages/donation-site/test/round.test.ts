// The whole round with the site's real program in a process of its own, which is killed after each of its steps in turn and started again:
// sign in, link, donate, quota, unlink. CLIProxyAPI and new-api are stand-ins, or the real programs that CLIPROXYAPI_BINARY and
// NEW_API_BINARY name.
import { type ModelProxyPartner, type NewApiPartner, startModelProxy, startNewApiPartner } from "../testing/partners";
import { admin, origin, random, startLinuxDo } from "../testing/kit";
import type { OAuthServer } from "../testing/oauth-server";
import { Died, Site, buildProgram } from "../testing/program";
import { type Page, type Told, Visitor } from "../testing/visitor";
import type { Config } from "../src/config";
import type { Decision } from "../src/store";
import type { NewApiServer } from "../testing/new-api";

jest.setTimeout(1_800_000);

const amount = 500;
/** How far the clock is ahead when the site starts again: a request for quota that was lost is no longer at work by then. */
const later = 180_000;

let program: ReturnType<typeof buildProgram>;
let oauth: OAuthServer;
let proxy: ModelProxyPartner;
let newApi: NewApiPartner;
let config: Config;
let people = 1000;
/** What was started, in the order in which it stops. */
const started: { stop(): Promise<void> | void }[] = [];

beforeAll(async () => {
  program = buildProgram();
  const linuxDo = await startLinuxDo();
  ({ oauth } = linuxDo);
  started.unshift(oauth);
  proxy = await startModelProxy();
  started.unshift(proxy);
  newApi = await startNewApiPartner();
  started.unshift(newApi);
  config = {
    oauth: linuxDo.settings,
    origin,
    adminIds: [admin.id],
    quotaAmount: amount,
    contact: "mailto:help@example.com",
    modelProxy: proxy.config,
    newApi: newApi.config,
  };
});
afterAll(async () => {
  for (const each of started) await each.stop();
  program.remove();
});

/** A line of the site's log. */
type Line = Readonly<Record<string, unknown>>;

/** One visitor's round on a site of its own. */
interface Round {
  readonly site: Site;
  readonly visitor: Visitor;
  /** Who administers the site. */
  readonly administrator: Visitor;
  /** Their new-api user. */
  readonly user: number;
  /** An auth file, and what only it has in it. */
  readonly token: string;
  readonly file: string;
}

interface Scenario {
  /** Before the site starts. */
  readonly prepare?: (round: Round) => Promise<void> | void;
  /** What people do; again from the beginning when the site was away meanwhile. */
  readonly act: (round: Round) => Promise<void>;
  /** What holds at the end, with the lines of the log and what the visitor's own page tells. */
  readonly holds: (round: Round, lines: readonly Line[], told: readonly Told[]) => Promise<void> | void;
}

const fileOf = (token: string) => JSON.stringify({ type: "claude", access_token: token, refresh_token: random() });

/** How often the proxy holds that credential. */
async function copies(token: string): Promise<number> {
  return [...(await proxy.files()).values()].filter((text) => text.includes(token)).length;
}

/** @param last the step after which the site dies, once @returns the steps of its first life */
async function play({ prepare, act, holds }: Scenario, last?: number): Promise<string[]> {
  people += 1;
  const person = { id: people, username: `donor${people}` };
  const site = new Site(program.folder, config);
  const token = random();
  const round: Round = {
    site,
    visitor: new Visitor(site, oauth, person),
    administrator: new Visitor(site, oauth, admin),
    user: await newApi.addUser(person.id),
    token,
    file: fileOf(token),
  };
  try {
    await prepare?.(round);
    try {
      await site.start({ last });
      await act(round);
      if (last !== undefined) throw new Error("the site did not die");
    } catch (error) {
      if (!(error instanceof Died) || last === undefined) throw error;
      expect(error.message).toBe("SIGKILL");
    }
    const steps = site.steps;
    if (last !== undefined) {
      await site.start({ ahead: later });
      await act(round);
    }
    await round.visitor.signIn();
    const told = await round.visitor.donations();
    expect(await site.stop()).toBe("0");
    const lines = site.log
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
    await holds(round, lines, told);
    return steps;
  } finally {
    site.remove();
  }
}

/** Plays it through, and then once for each step with the site dying after it. @param from what the first of these steps is */
async function playAll(scenario: Scenario, from: (steps: readonly string[]) => number = () => 0): Promise<void> {
  const steps = await play(scenario);
  const first = from(steps);
  expect(first).toBeGreaterThanOrEqual(0);
  const failures: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (index < first) continue;
    try {
      await play(scenario, index + 1);
    } catch (error) {
      failures.push(`killed after step ${index + 1}, ${step}: ${String(error)}`);
    }
  }
  expect(failures).toEqual([]);
}

/** Where the site begins with a file that it was given. @param which the first or the second of them */
const donated = (which: 0 | 1) => (steps: readonly string[]) =>
  steps.flatMap((step, index) => (step.startsWith("insert into donations") ? [index] : []))[which] ?? -1;

/** Lines of that event, without those that are there a second time. */
function events(lines: readonly Line[], event: string): Line[] {
  const found = lines.filter((line) => line["event"] === event);
  return found.filter(
    (line, index) => line["entry"] === undefined || found.findIndex(({ entry }) => entry === line["entry"]) === index,
  );
}

const lost = "did not arrive; please donate it again";

/** Signs in, links, and donates unless their page tells of a donation that was not lost. @returns what they read, where they donated */
async function donateOnce({ visitor, user, file }: Round): Promise<Page | undefined> {
  await visitor.signIn();
  await visitor.bind(user);
  const told = await visitor.donations();
  return told.some(({ words }) => words !== lost) ? undefined : visitor.donate(file);
}

test("a donation gives its quota once, and no link or unlink is lost", async () => {
  await playAll({
    prepare: ({ token }) => {
      proxy.accept(token, random());
    },
    act: async (round) => {
      const { visitor, user } = round;
      expect([undefined, 303]).toContain((await donateOnce(round))?.status);
      const [newest] = await visitor.donations();
      expect(newest).toEqual({ state: "granted", words: "quota added" });
      expect(await newApi.total(user)).toBe(amount);
      await visitor.unbind();
      expect(await visitor.bound()).toBe(false);
    },
    holds: async ({ token, user, visitor }, lines, told) => {
      expect(await newApi.total(user)).toBe(amount);
      expect(await copies(token)).toBe(1);
      expect(told.filter(({ words }) => words !== lost)).toHaveLength(1);
      const userId = visitor.person.id;
      expect(events(lines, "donation")).toEqual([expect.objectContaining({ userId, newApi: user, amount })]);
      const links = events(lines, "bind").length;
      expect(links).toBeGreaterThan(0);
      expect(events(lines, "unbind")).toHaveLength(links);
    },
  });
});

test("a credential that its provider does not accept gives nothing, and leaves nothing at the model proxy", async () => {
  await playAll(
    {
      act: async (round) => {
        const page = await donateOnce(round);
        if (page) expect([page.status, page.text]).toEqual([400, expect.stringContaining("does not accept")]);
      },
      holds: async ({ token, user, visitor }, lines, told) => {
        expect([await newApi.total(user), await copies(token)]).toEqual([0, 0]);
        expect(told.filter(({ words }) => words !== lost)).toEqual([
          { state: "refused", words: "not accepted by the provider" },
        ]);
        const refusals = events(lines, "donation-refused").filter(({ why }) => why !== "not uploaded");
        expect(refusals).toEqual([expect.objectContaining({ userId: visitor.person.id, why: "not valid" })]);
      },
    },
    donated(0),
  );
});

test("an account that was donated before gives nothing a second time, whatever its tokens are now", async () => {
  const account = random();
  await playAll(
    {
      prepare: ({ token }) => {
        proxy.accept(token, account);
        proxy.accept(`first-${token}`, account);
      },
      act: async (round) => {
        const { visitor, user, token } = round;
        await visitor.signIn();
        await visitor.bind(user);
        while (!(await visitor.donations()).some(({ state }) => state === "granted"))
          await visitor.donate(fileOf(`first-${token}`));
        const told = await visitor.donations();
        const refused = told.some(({ words }) => words === "not accepted, donated before");
        if (!refused) expect((await visitor.donate(round.file)).status).toBe(409);
        expect((await visitor.donate(round.file)).status).toBe(409);
      },
      holds: async ({ token, user }, _lines, told) => {
        expect(await newApi.total(user)).toBe(amount);
        expect([await copies(`first-${token}`), await copies(`"${token}`)]).toEqual([1, 0]);
        expect(told.filter(({ words }) => words !== lost)).toEqual([
          { state: "refused", words: "not accepted, donated before" },
          { state: "granted", words: "quota added" },
        ]);
      },
    },
    donated(1),
  );
});

/** What real servers do not do at a word. */
const withStandIn = process.env["NEW_API_BINARY"] === undefined ? describe : describe.skip;

withStandIn("with a new-api that does as it is told", () => {
  const server = (): NewApiServer => {
    if (newApi.server === undefined) throw new Error("this is no stand-in");
    return newApi.server;
  };

  /** A donation whose quota new-api refuses, and an administrator's word on it. */
  async function decided(round: Round, decision: Decision): Promise<void> {
    server().fault = "refused";
    const page = await donateOnce(round);
    if (page) expect([page.status, page.text]).toEqual([500, expect.stringContaining("An administrator sees this")]);
    server().fault = "none";
    const { administrator } = round;
    await administrator.signIn();
    const { text } = await administrator.open("/donations");
    const [, donation] = /name="donation" value="([^"]+)"/.exec(text) ?? [];
    if (donation === undefined) return;
    expect((await administrator.open("/donations/decide", { donation, decision })).status).toBe(303);
  }

  test("an administrator gives the quota that was refused at first: once", async () => {
    await playAll(
      {
        prepare: ({ token }) => {
          proxy.accept(token, random());
        },
        act: (round) => decided(round, "give"),
        holds: async ({ token, user, visitor }, lines, told) => {
          expect([await newApi.total(user), await copies(token)]).toEqual([amount, 1]);
          expect(told.filter(({ words }) => words !== lost)).toEqual([{ state: "granted", words: "quota added" }]);
          expect(events(lines, "donation")).toEqual([expect.objectContaining({ userId: visitor.person.id, amount })]);
          const decision = { userId: admin.id, decision: "give" };
          expect(events(lines, "decision")).toEqual([expect.objectContaining(decision)]);
        },
      },
      (steps) => steps.findIndex((step) => step.includes("state = 'person'")),
    );
  });

  test("an administrator refuses a donation: its credential is gone, and the log says so once", async () => {
    await playAll(
      {
        prepare: ({ token }) => {
          proxy.accept(token, random());
        },
        act: (round) => decided(round, "refuse"),
        holds: async ({ token, user }, lines, told) => {
          expect([await newApi.total(user), await copies(token)]).toEqual([0, 0]);
          expect(told.filter(({ words }) => words !== lost)).toEqual([{ state: "refused", words: "not accepted" }]);
          const decision = { userId: admin.id, decision: "refuse" };
          expect(events(lines, "decision")).toEqual([expect.objectContaining(decision)]);
        },
      },
      (steps) => steps.lastIndexOf("DELETE /v0/management/auth-files"),
    );
  });

  test("a request for quota that arrives when the site has died and lives again gives its quota once", async () => {
    const site = new Site(program.folder, config);
    const visitor = new Visitor(site, oauth, { id: (people += 1), username: "slow" });
    const user = await newApi.addUser(visitor.person.id);
    const token = random();
    proxy.accept(token, random());
    let release = (): void => undefined;
    const { asked } = server();
    server().held = new Promise((resolve) => (release = resolve));
    try {
      await site.start();
      await visitor.signIn();
      await visitor.bind(user);
      const donating = visitor.donate(fileOf(token)).catch((error: unknown) => error);
      while (server().asked === asked) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await site.stop("SIGKILL")).toBe("SIGKILL");
      expect(await donating).toBeInstanceOf(Died);
      await site.start();
      expect((await visitor.open("/status")).text).toContain("accepted, quota follows");
      release();
      await site.stop();
      await site.start({ ahead: later });
      expect(await visitor.donations()).toEqual([{ state: "granted", words: "quota added" }]);
      expect([await newApi.total(user), server().asked]).toEqual([amount, asked + 1]);
    } finally {
      release();
      site.remove();
    }
  });
});
