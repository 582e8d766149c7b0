// The real program of the notifier at a server that stands in for OpenCode's, of either major: it drops connections, loses events and
// starts again.
import { setTimeout as sleep } from "node:timers/promises";
import { Notifier, Receiver, notifierPython, until } from "../support/notifier";
import { FakeOpenCode } from "../support/opencode-server";

jest.setTimeout(120_000);

let libraries: string;
beforeAll(async () => {
  libraries = await notifierPython();
});

describe.each([1, 2] as const)("major %s", (major) => {
  let server: FakeOpenCode;
  let receiver: Receiver;
  let notifier: Notifier;
  const directory = "/home/opencode/workspace/über uns";
  const folder = Buffer.from(directory).toString("base64url");
  const link = (id: string) => `https://code.home.example.com/${folder}/session/${id}`;
  const sent = () => receiver.got.map(({ title, message }) => `${title}\n${message}`);
  const arrived = (count: number) =>
    until(
      () => receiver.got.length >= count,
      () => [sent(), notifier.words, server.seen.slice(-20)],
      40,
    );
  /** Nothing more than this comes, however long one waits; in any order, since messages of one moment are sent side by side. */
  const onlyThat = async (...all: string[]) => {
    await arrived(all.length);
    await sleep(2500);
    expect(sent().sort()).toEqual(all.sort());
  };
  const connected = () =>
    until(
      () => server.listeners === 1,
      () => notifier.words,
    );
  const configure = (settings: object = {}) => {
    notifier.configure([receiver.url()], { sessions: server.settings(), ...settings });
  };

  beforeEach(async () => {
    server = new FakeOpenCode(major);
    await server.start();
    receiver = new Receiver();
    await receiver.start();
    notifier = new Notifier(libraries);
    server.create("ses_old", { title: "Long ago", directory });
    server.prompt("ses_old");
    server.finish("ses_old");
    await sleep(20);
    server.create("ses_1", { title: "Fix the\u001b login", directory });
    server.create("ses_2", { title: "Part of it", directory, parentID: "ses_1" });
    configure();
  });
  afterEach(async () => {
    await notifier.remove();
    await server.crash();
    receiver.stop();
  });

  it("a turn's end is sent once, in the session's words, with its link; the end of a part is not, nor of one long ago", async () => {
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.prompt("ses_2");
    server.finish("ses_2");
    await sleep(500);
    server.finish("ses_1");
    await onlyThat(`Done: Fix the  login\n${link("ses_1")}`);
  });

  it("a failure names its kind and nothing of its words", async () => {
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.finish("ses_1", "failed");
    const kind = { 1: "ProviderAuthError", 2: "provider.auth" }[major];
    await onlyThat(`Failed: Fix the  login\n${kind}\n${link("ses_1")}`);
    expect(notifier.words).not.toContain("sk-very-secret");
  });

  it("a turn that the operator stops is no news, also after a restart", async () => {
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.finish("ses_1", "interrupted");
    await until(
      () => server.seen.some((path) => path.includes("/ses_1/message")),
      () => [notifier.words, server.seen.slice(-20)],
    );
    await sleep(1500);
    await notifier.kill();
    notifier.start();
    await connected();
    await onlyThat();
  });

  it("who waits for permission or an answer is sent by the root session; what is answered at once is not", async () => {
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.prompt("ses_2");
    server.ask("ses_2", "per_1", "permission", "rm -rf secret-folder");
    server.ask("ses_1", "per_2", "permission", "ls");
    server.reply("per_2");
    server.ask("ses_1", "que_1", "question", "Which secret-database?");
    await onlyThat(
      `Permission asked: Fix the  login\nfor bash\n${link("ses_1")}`,
      `Question: Fix the  login\n${link("ses_1")}`,
    );
  });

  it("with notifyDetails its words are there", async () => {
    configure({ details: true });
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.ask("ses_1", "per_1", "permission", "git push");
    await arrived(1);
    expect(sent()[0]).toContain("for bash\ngit push\n");
    server.finish("ses_1", "failed");
    await arrived(2);
    expect(sent()[1]).toContain("401 for the key");
  });

  it("kinds that are off are not told", async () => {
    configure({ events: ["question"] });
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.ask("ses_1", "per_1", "permission", "git push");
    server.ask("ses_1", "que_1", "question", "Which?");
    server.finish("ses_1");
    await onlyThat(`Question: Fix the  login\n${link("ses_1")}`);
  });

  it("whatever happens while a stream is cut is found, and sent once", async () => {
    notifier.start();
    await connected();
    server.prompt("ses_1");
    for (let times = 0; times < 3; times++) {
      server.cut();
      await sleep(300);
    }
    server.closed = true;
    server.cut();
    await sleep(300);
    // No stream hears of these.
    server.ask("ses_1", "per_1", "permission", "ls");
    server.create("ses_3", { title: "Another", directory });
    server.prompt("ses_3");
    server.finish("ses_3");
    server.closed = false;
    await connected();
    await arrived(2);
    // This comes by the stream, too.
    server.finish("ses_1");
    server.cut();
    await arrived(3);
    await sleep(3000);
    expect([...sent()].sort()).toEqual([
      `Done: Another\n${link("ses_3")}`,
      `Done: Fix the  login\n${link("ses_1")}`,
      `Permission asked: Fix the  login\nfor bash\n${link("ses_1")}`,
    ]);
  });

  it("a restart of the notifier loses nothing and repeats nothing", async () => {
    notifier.start();
    await connected();
    server.prompt("ses_1");
    server.finish("ses_1");
    await arrived(1);
    await until(() => notifier.settled(), sent);
    await notifier.kill();
    server.prompt("ses_1");
    server.ask("ses_1", "per_1", "permission", "ls");
    server.create("ses_3", { title: "Another", directory });
    server.prompt("ses_3");
    server.finish("ses_3", "failed");
    notifier.start();
    await arrived(3);
    await until(() => notifier.settled(), sent);
    await notifier.kill();
    notifier.start();
    await connected();
    server.reply("per_1");
    server.finish("ses_1");
    await arrived(4);
    await sleep(2500);
    const heads = sent().map((text) => text.split("\n")[0]);
    expect(heads[0]).toBe("Done: Fix the  login");
    expect(heads.slice(1, 3).sort()).toEqual(["Failed: Another", "Permission asked: Fix the  login"]);
    expect(heads.slice(3)).toEqual(["Done: Fix the  login"]);
  });

  it("a crash of the server in the middle of a turn is sent, and what it asked is no more", async () => {
    configure({ quiet: "" });
    notifier.start();
    await connected();
    server.prompt("ses_1");
    await sleep(300);
    server.ask("ses_1", "per_1", "permission", "ls");
    await server.crash();
    await sleep(500);
    await server.start();
    await onlyThat(`Failed: Fix the  login\nIt was interrupted.\n${link("ses_1")}`);
  });

  it("a wrong password is said, and no more than once", async () => {
    notifier.configure([receiver.url()], { sessions: { ...server.settings(), user: "somebody" } });
    notifier.start();
    await until(
      () => notifier.words.includes("answers 401"),
      () => notifier.words,
    );
    await sleep(4000);
    // By the reader of events and by that of costs.
    const said = notifier.words.split("\n").filter((line) => line.includes("answers 401"));
    expect(said.filter((line) => line.includes("the stream of events"))).toHaveLength(1);
    expect(said).toHaveLength(new Set(said).size);
    expect(said.length).toBeLessThanOrEqual(2);
  });
});
