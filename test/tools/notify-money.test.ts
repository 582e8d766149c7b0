// The real program of the notifier: what OpenCode's sessions cost, against a limit, and the bill of an account at the emulator.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, emulatorKey, startEmulator } from "@cloudcode/alicloud-emulator";
import { cycleAt } from "../../components/alicloud/bill";
import type { Notifier, Receiver } from "../support/notifier";
import { eachWithNotifier, until } from "../support/notifier";
import { FakeOpenCode } from "../support/opencode-server";
import { ramPolicy, ramPolicyForBills } from "../support/ram-policy";

jest.setTimeout(120_000);

let receiver: Receiver;
let notifier: Notifier;
eachWithNotifier((...made) => {
  [notifier, receiver] = made;
});
const place = (file: string) => join(notifier.root, "money", file);
const report = () =>
  existsSync(place("report.json"))
    ? (JSON.parse(readFileSync(place("report.json"), "utf8")) as Record<string, Record<string, unknown>>)
    : {};
const titles = () => receiver.got.map(({ title }) => title);
const reached = (usd: number) =>
  until(
    () => report()["models"]?.["usd"] === usd,
    () => [report(), notifier.words],
  );
const arrived = (count: number) =>
  until(
    () => receiver.got.length >= count,
    () => [titles(), report(), notifier.words],
  );

describe.each([1, 2] as const)("spending, major %s", (major) => {
  let server: FakeOpenCode;
  const directory = "/home/opencode/workspace";
  const configure = (limit: number | undefined, settings: object = {}) => {
    notifier.configure([receiver.url()], { sessions: { ...server.settings(), limit }, ...settings });
  };
  const session = (id: string, cost: number, more: object = {}) => {
    server.create(id, { title: id, directory, created: Date.now(), cost, ...more });
  };

  beforeEach(async () => {
    server = new FakeOpenCode(major);
    await server.start();
    // From before this month: what it has cost until now is nobody's.
    server.create("ses_old", { title: "old", directory, cost: 500 });
  });
  afterEach(async () => {
    await server.crash();
  });

  it("is the sum of all sessions, subagents' and deleted ones too, and what comes while the notifier is off", async () => {
    configure(undefined);
    session("ses_1", 1.5);
    session("ses_2", 0.25, { parentID: "ses_1" });
    notifier.start();
    await reached(1.75);
    server.costs("ses_old", 501);
    server.costs("ses_1", 2.5);
    await reached(3.75);
    server.remove("ses_1");
    await notifier.kill();
    session("ses_3", 1);
    session("ses_4", 1);
    notifier.start();
    await reached(5.75);
    expect(report()["models"]).toMatchObject({ month: new Date().toISOString().slice(0, 7), closed: false });
    expect([existsSync(place("closed")), titles()]).toEqual([false, []]);
  });

  it("is news at 50, 80 and 100 %, each once, and closes the way to the models until it is allowed", async () => {
    configure(10);
    session("ses_1", 4.9);
    notifier.start();
    await reached(4.9);
    server.costs("ses_1", 5.1);
    await arrived(1);
    server.costs("ses_1", 8);
    await arrived(2);
    await until(() => notifier.settled(), titles);
    await notifier.kill();
    notifier.start();
    server.costs("ses_1", 11);
    await arrived(3);
    await until(() => existsSync(place("closed")), report);
    expect(report()["models"]).toMatchObject({ usd: 11, limit: 10, closed: true });
    await until(() => notifier.settled(), titles);
    // Neither a restart nor a server that is gone opens it.
    await notifier.kill();
    await server.crash();
    notifier.start();
    await sleep(1500);
    expect(existsSync(place("closed"))).toBe(true);
    expect(notifier.run("allow")).toEqual({ status: 0, words: "" });
    await until(() => report()["models"]?.["closed"] === false, report);
    await sleep(1000);
    expect(existsSync(place("closed"))).toBe(false);
    expect(JSON.parse(notifier.run("money").words)).toEqual(report());
    expect(titles()).toEqual([50, 80, 100].map((step) => `OpenCode's models have reached ${step} % of its limit`));
    expect(receiver.got[2]?.message).toMatch(
      /11\.00 of 10\.00 USD .* no more answers until npm run ops -- cost --allow/,
    );
  });

  it("that jumps over steps is one message; a higher limit opens the way, and so does the next month", async () => {
    configure(10);
    session("ses_1", 30);
    notifier.start();
    await until(() => existsSync(place("closed")), report);
    await arrived(1);
    await until(() => notifier.settled(), titles);
    await notifier.kill();
    configure(100);
    notifier.start();
    await until(() => !existsSync(place("closed")), report);
    await sleep(1000);
    expect(titles()).toEqual(["OpenCode's models have reached 100 % of its limit"]);
    await notifier.kill();
    writeFileSync(place("closed"), "2020-01\n");
    notifier.start();
    await until(() => !existsSync(place("closed")), report);
  });

  it("is that of all, however many there are", async () => {
    configure(undefined);
    for (let index = 0; index < 130; index++) session(`ses_${index}`, 0.5);
    notifier.start();
    await reached(65);
  });

  it("takes no cost that is none, and goes on where its book cannot be used", async () => {
    configure(10);
    session("ses_1", Number.NaN);
    session("ses_2", -5);
    session("ses_3", 2);
    notifier.start();
    await reached(2);
    await notifier.kill();
    writeFileSync(place("closed"), "2026-11\n");
    writeFileSync(
      join(notifier.root, "data/spending.db"),
      "this is no database, and long enough to be seen as none".repeat(9),
    );
    notifier.start();
    await until(
      () => notifier.words.includes("the cost of OpenCode's models cannot be written down"),
      () => notifier.words,
    );
    notifier.leave("check", "goes on");
    await arrived(1);
    expect(existsSync(place("closed"))).toBe(true);
  });
});

test("a release of the first major that does not add up its sessions is asked for their messages", async () => {
  const server = new FakeOpenCode(1);
  await server.start();
  server.create("ses_1", { title: "a", directory: "/w", created: Date.now() });
  notifier.configure([receiver.url()], { sessions: server.settings() });
  notifier.start();
  await reached(0);
  expect(server.seen).toContain("/session/ses_1/message");
  await server.crash();
});

describe("the bill", () => {
  let emulator: Emulator;
  const { month, before, days } = cycleAt(new Date());
  beforeEach(async () => {
    emulator = await startEmulator({ policy: ramPolicyForBills() });
  });
  afterEach(async () => {
    await emulator.close();
    expect(emulator.journal.violations).toEqual([]);
  });
  const configure = (limit?: number) => {
    notifier.configure([receiver.url()], { bill: { endpoint: `http://127.0.0.1:${emulator.port}/`, limit } });
    notifier.secret("billing-key", JSON.stringify(emulatorKey));
  };

  it("and the balance are read with these two rights alone; the limit is news at each step, once", async () => {
    configure(10_000);
    emulator.rules.finances = {
      balance: 1_234.5,
      bills: { [month]: { ecs: 2 * days, eip: days / 2 }, [before]: { ecs: 75 } },
    };
    notifier.start();
    await until(
      () => report()["bill"] !== undefined,
      () => notifier.words,
    );
    expect(report()["bill"]).toMatchObject({ month, currency: "USD", balance: 1234.5, limit: 10_000 });
    if (days > 3) expect(report()["bill"]?.["days"]).toBe(493);
    await notifier.kill();
    configure(40);
    emulator.rules.finances = { balance: 1_000, bills: { [month]: { ecs: 33 } } };
    notifier.start();
    await until(() => titles().includes(`The bill of ${month} has reached 80 % of its limit`), titles);
    await until(() => notifier.settled(), titles);
    await notifier.kill();
    notifier.start();
    emulator.rules.finances = { balance: 3, bills: { [month]: { ecs: 41 } } };
    await until(() => titles().some((title) => /^The balance lasts \d+ days$/.test(title)), titles);
    await sleep(1500);
    const own = titles().filter((title) => title.startsWith("The bill"));
    expect(own).toEqual([80, 100].map((step) => `The bill of ${month} has reached ${step} % of its limit`));
    expect(new Set(titles()).size).toBe(titles().length);
  });

  it("that may not be read is a line of the report and of the log, without the key, and all else goes on", async () => {
    configure();
    emulator.rules.policy = ramPolicy("example.com");
    notifier.start();
    await until(
      () => JSON.stringify(report()["fault"]) === '"Forbidden.RAM"',
      () => [report(), notifier.words],
    );
    notifier.leave("check", "goes on");
    await arrived(1);
    notifier.secret("billing-key", JSON.stringify({ ...emulatorKey, secret: "wrong-secret" }));
    await notifier.kill();
    notifier.start();
    await until(
      () => JSON.stringify(report()["fault"]) === '"SignatureDoesNotMatch"',
      () => [report(), notifier.words],
    );
    expect(notifier.words).not.toMatch(/wrong-secret|emulator-(key|secret)/);
    emulator.rules.policy = undefined;
    await notifier.kill();
    configure();
    notifier.start();
    await until(() => report()["bill"] !== undefined && report()["fault"] === undefined, report);
    await notifier.kill();
    notifier.configure([receiver.url()]);
    notifier.start();
    await until(() => report()["bill"] === undefined, report);
  });
});
