// The real program of the notifier with the real Apprise, and receivers instead of its services.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "../support/project-root";
import { appriseSchemes } from "../../components/notify/schemes";
import type { Receiver } from "../support/notifier";
import { Notifier, eachWithNotifier, until } from "../support/notifier";

jest.setTimeout(180_000);

let receiver: Receiver;
let notifier: Notifier;
eachWithNotifier((...made) => {
  [notifier, receiver] = made;
});
const titles = () => receiver.got.map(({ title }) => title);

test("the settings know the schemes that the pinned Apprise knows", () => {
  const program = `
import json, apprise
found = set()
for one in apprise.Apprise().details()["schemas"]:
    found |= set(one.get("secure_protocols") or []) | set(one.get("protocols") or [])
print(json.dumps(sorted(found - {"syslog"})))`;
  const known = execFileSync("python3", ["-S", "-c", program], {
    env: { ...process.env, PYTHONPATH: notifier.libraries },
  });
  expect(appriseSchemes).toEqual(JSON.parse(known.toString()));
});

describe("what the host leaves", () => {
  it("is sent once to each address, over restarts and kills at any moment", async () => {
    notifier.configure([receiver.url("a"), receiver.url("b")]);
    notifier.leave("check", "Red on home", 'disk /: 9 MiB are free -> make "room"; $(x) `y`');
    notifier.start();
    await until(
      () => receiver.got.length === 2,
      () => receiver.got,
    );
    expect(receiver.got.map(({ path, title, message }) => [path, title, message])).toEqual(
      ["/a", "/b"].map((path) => [path, "Red on home", 'disk /: 9 MiB are free -> make "room"; $(x) `y`']),
    );
    await until(() => notifier.settled(), titles);
    await notifier.kill();
    notifier.leave("backup", "while it was off");
    for (let times = 0; times < 3; times++) {
      notifier.start();
      await sleep(times * 700);
      await notifier.kill();
    }
    notifier.start();
    await until(
      () => receiver.got.length >= 4,
      () => receiver.got,
    );
    await sleep(1500);
    // A kill between the service's answer and the note of it would repeat a message: no more than that.
    expect(new Set(titles())).toEqual(new Set(["Red on home", "while it was off"]));
    expect(titles().filter((title) => title === "Red on home")).toHaveLength(2);
  });

  it("is not repeated where the program is stopped while a service takes its time", async () => {
    receiver.answers = [{ waits: 3000 }, {}];
    notifier.configure([receiver.url()]);
    notifier.leave("check", "slow");
    notifier.start();
    await until(() => receiver.got.length === 1, titles);
    await notifier.kill("SIGTERM");
    notifier.start();
    await sleep(3000);
    expect(titles()).toEqual(["slow"]);
  });

  it("waits for an address that refuses, is not repeated to the others, and the failure shows", async () => {
    receiver.answers = [{ status: 500 }, {}];
    notifier.configure([receiver.url("secret-part-of-it")], {}, { NOTIFY_FAILING: "2" });
    notifier.leave("check", "Red");
    notifier.start();
    const healthy = join(notifier.root, "tmp/healthy");
    await until(
      () => receiver.got.length === 1,
      () => receiver.got,
    );
    await until(
      () => !existsSync(healthy),
      () => notifier.words,
    );
    expect(notifier.run("status").words).toMatch(/^1 json: fails since .* UTC: .*500.*\nmessages that wait: 1\n$/);
    await until(
      () => receiver.got.length === 2,
      () => receiver.got,
    );
    await until(
      () => existsSync(healthy),
      () => notifier.words,
    );
    expect(notifier.run("status").words).toBe("1 json: the last message, if any, was taken\nmessages that wait: 0\n");
    expect(notifier.words).toContain("1 json: not sent: ");
    expect(notifier.words).not.toContain("secret-part-of-it");
  });

  it("of kinds that nobody wants is sent to nobody, also later", async () => {
    notifier.configure([receiver.url()], { events: ["backup"] });
    notifier.leave("deploy", "a deploy");
    notifier.leave("backup", "a backup");
    notifier.start();
    await until(
      () => receiver.got.length === 1,
      () => receiver.got,
    );
    await until(() => notifier.settled(), titles);
    await notifier.kill();
    notifier.configure([receiver.url()]);
    notifier.start();
    await sleep(1500);
    expect(titles()).toEqual(["a backup"]);
  });

  it("in quiet hours waits for their end, but for a login", async () => {
    const hour = (shift: number) => new Date(Date.now() + shift * 3600_000).toISOString().slice(11, 16);
    notifier.configure([receiver.url()], { quiet: `${hour(-1)}-${hour(1)}` });
    notifier.leave("check", "first");
    notifier.leave("check", "second");
    notifier.leave("login", "who is this");
    notifier.start();
    await until(
      () => receiver.got.length === 1,
      () => receiver.got,
    );
    await sleep(1000);
    expect(titles()).toEqual(["who is this"]);
    expect(notifier.run("status").words).toContain("messages that wait: 2");
  });

  it("is a message of its own for a whole pulumi up", async () => {
    notifier.configure([receiver.url()]);
    notifier.start();
    for (const name of ["auth", "edge", "opencode"]) notifier.leave("deploy", `${name}: running`, "apply by me");
    await until(
      () => receiver.got.length === 1,
      () => receiver.got,
      60,
    );
    expect(receiver.got[0]).toMatchObject({
      title: "3 messages",
      message: expect.stringContaining("edge: running\napply by me") as string,
    });
  });

  it("arrives also where the database is damaged", async () => {
    notifier.configure([receiver.url()]);
    writeFileSync(join(notifier.root, "data/outbox.db"), "no database at all, but some text\n".repeat(200));
    notifier.leave("check", "disk /");
    notifier.start();
    await until(
      () => receiver.got.length === 1,
      () => [receiver.got, notifier.words],
    );
    expect(notifier.words).toContain("they are kept in memory");
  });

  it("does not wait in a program half of which has failed: that ends, and Docker starts it again", async () => {
    notifier.configure([receiver.url()]);
    notifier.start();
    await until(
      () => existsSync(join(notifier.root, "tmp/healthy")),
      () => notifier.words,
    );
    const program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('DROP TABLE delivery')";
    execFileSync("python3", ["-c", program, join(notifier.root, "data/outbox.db")]);
    expect(await notifier.ended()).toBe(1);
    notifier.leave("check", "still here");
    notifier.start();
    await until(() => receiver.got.length === 1, titles);
  });

  it("arrives also where the disk takes nothing more", () => {
    const program = `
import json, sys
from notify.outbox import Outbox
outbox = Outbox(sys.argv[1], ["1 json"], {"quiet": "", "timeZone": "UTC", "events": ["check"]})
outbox.add("a", "check", "first", "x")
outbox.db.execute("PRAGMA max_page_count = 1")
outbox.add("b", "check", "second", "x" * 200000)
print(json.dumps([outbox.waiting(""), outbox.next()[2]]))`;
    const image = join(projectRoot, "stack-templates/notify/image");
    const words = execFileSync("python3", ["-c", program, join(notifier.root, "data/full.db")], {
      env: { ...process.env, PYTHONPATH: image, PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(words.toString().split("\n").slice(0, 2)).toEqual([
      expect.stringMatching(/disk is full\): until the next start they are kept in memory$/),
      '[["a", "b"], "first"]',
    ]);
  });

  it("is left whole, by root alone, and removed when it is old", () => {
    notifier.leave("check", "title", "text\n");
    const [name = ""] = readdirSync(join(notifier.root, "queue"));
    const file = join(notifier.root, "queue", name);
    expect(readFileSync(file, "utf8")).toBe("check\ntitle\ntext\n");
    expect(execFileSync("stat", ["-c", "%a %U", file]).toString()).toBe("644 root\n");
    execFileSync("touch", ["-d", "5 days ago", file]);
    notifier.leave("check", "other");
    expect(existsSync(file)).toBe(false);
  });
});

describe("a service that answers 200 whatever it thinks of a message", () => {
  const token = "0123456789abcdef".repeat(4);
  const word = "abcdef01-2345-6789-abcd-ef0123456789";
  const services: Readonly<Record<string, string>> = {
    dingtalk: `dingtalk://${token}/`,
    wecombot: `wecombot://${word}/`,
    feishu: `feishu://${word}/`,
    lark: `lark://${word}/`,
    barks: `barks://api.day.app/${token}`,
    schan: `schan://${token}`,
  };
  const post = (service: string, says: string) => {
    receiver.answers = [{ body: says }];
    notifier.configure([services[service] ?? service], {}, receiver.environment(notifier.root));
    return notifier.start("test");
  };
  const ended = async () => {
    await until(
      () => notifier.words.endsWith("\n"),
      () => notifier.words,
      60,
    );
    return notifier.words;
  };

  it.each([
    ["dingtalk", '{"errcode":0,"errmsg":"ok"}', "oapi.dingtalk.com"],
    ["wecombot", '{"errcode":0,"errmsg":"ok"}', "qyapi.weixin.qq.com"],
    ["feishu", '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}', "open.feishu.cn"],
    ["lark", '{"Extra":null,"StatusCode":0,"StatusMessage":"success"}', "open.larksuite.com"],
    ["schan", '{"code":0,"message":"","data":{"errno":0}}', "sctapi.ftqq.com"],
  ])("%s that answers %s took it", async (service, says, host) => {
    post(service, says);
    expect(await ended()).toBe(`1 ${service}: taken\n`);
    expect(receiver.got.map((one) => one.host)).toEqual([host]);
  });

  it.each([
    ["dingtalk", '{"errcode":310000,"errmsg":"keywords not in content"}', "310000: keywords not in content"],
    ["dingtalk", '{"errcode":300005,"errmsg":"token is not exist"}', "300005: token is not exist"],
    ["wecombot", '{"errcode":93000,"errmsg":"invalid webhook url"}', "93000: invalid webhook url"],
    ["feishu", '{"code":19024,"msg":"Key Words Not Found","data":{}}', "19024: Key Words Not Found"],
    ["feishu", '{"StatusCode":9499,"StatusMessage":"Bad Request"}', "9499: Bad Request"],
    ["lark", '{"code":9499,"msg":"Bad Request"}', "9499: Bad Request"],
    ["barks", '{"code":400,"message":"failed to get device token"}', "400: failed to get device token"],
    ["schan", '{"code":40001,"message":"[AUTH]bad key"}', "40001: [AUTH]bad key"],
    ["dingtalk", "", "its answer is not that of the service"],
    ["feishu", '{"data":{}}', "its answer is not that of the service"],
    ["barks", "<!doctype html><title>Sign in</title>", "its answer is not that of the service"],
    ["dingtalk", `{"errcode":1,"errmsg":"\\u001b[31mno ${token}"}`, "1:  [31mno …"],
  ])("%s that answers %s did not take it", async (service, says, reason) => {
    post(service, says);
    expect(await ended()).toBe(`1 ${service}: ${reason}\n`);
  });

  it("is sent the keyword that its robot may want", async () => {
    notifier.configure([`feishu://${word}/`], {}, receiver.environment(notifier.root));
    notifier.leave("check", "Red on home", "disk /");
    notifier.start();
    await until(
      () => receiver.got.length === 1,
      () => notifier.words,
    );
    expect(JSON.stringify(receiver.got[0]?.body)).toContain("disk /\\n— cloudcode");
  });

  it("is what a server of one's own may do, too", async () => {
    post(receiver.url(), '{"ok":false,"error":"channel_not_found"}');
    expect(await ended()).toBe("1 json: no code: channel_not_found\n");
  });
});

test("addresses that Apprise does not take are named by number and scheme, and nothing is sent", () => {
  notifier.configure([receiver.url("x"), "tgram://not-a-token-but-secret/"]);
  expect(notifier.run("check")).toEqual({
    status: 1,
    words: "1 json: fine\n2 tgram: is not an address that Apprise takes\n",
  });
  expect(receiver.got).toEqual([]);
});

test("no address is on a command line, in the environment or in the database", async () => {
  notifier.configure([receiver.url("topic-that-is-secret")]);
  const pid = notifier.start();
  let seen = "";
  for (let times = 0; times < 20; times++) {
    if (times === 2) notifier.leave("check", "x", "");
    const children = execFileSync("sh", ["-c", `cat /proc/${pid}/task/*/children`])
      .toString()
      .trim()
      .split(" ");
    for (const one of [pid, ...children].filter(Boolean))
      for (const file of ["cmdline", "environ"])
        seen += execFileSync("sh", ["-c", `cat /proc/${one}/${file} 2>/dev/null || true`]).toString();
    await sleep(100);
  }
  await until(
    () => receiver.got.length === 1,
    () => receiver.got,
  );
  expect(seen).toContain("notify.send");
  const database = readFileSync(join(notifier.root, "data/outbox.db")).toString("latin1");
  for (const text of [seen, database, notifier.words]) expect(text).not.toContain("topic-that-is-secret");
});

test("it idles in less than 40 MiB, and so does its reader of sign-ins", async () => {
  notifier.configure([receiver.url()], {
    sessions: { server: "http://127.0.0.1:9", user: "opencode", major: 1, page: "https://code.example.com" },
    edge: { address: "127.0.0.1:9", names: ["example.com"], root: "" },
  });
  const used = async (pid: number) => {
    await sleep(3000);
    return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  };
  const served = await used(notifier.start());
  const reader = new Notifier(notifier.libraries);
  const read = await used(reader.start("sign-ins"));
  await reader.remove();
  process.stderr.write(
    `memory of its own: notifier ${served.toFixed(1)} MiB, reader of sign-ins ${read.toFixed(1)} MiB\n`,
  );
  expect(served + read).toBeLessThan(40);
});
