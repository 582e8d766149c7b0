// The notifier at the real OpenCode of the version that is deployed: a turn that is done, one that fails, and one that it did not see.
import { type Home, openHome } from "./home";
import { Notifier, Receiver, notifierPython, until } from "../support/notifier";
import { type ModelServer, startModelServer } from "../support/model-server";
import { type OpenCode, startOpencode } from "./programs";

jest.setTimeout(240_000);

let models: ModelServer;
let program: OpenCode;
let receiver: Receiver;
let notifier: Notifier;
let home: Home;
beforeAll(async () => {
  models = await startModelServer("The answer is 42.");
  const provider = {
    name: "mine",
    kind: "openai-compatible",
    baseUrl: models.url,
    models: ["deep-thought"],
    default: "deep-thought",
  };
  const settings = {
    opencodeProviders: JSON.stringify([provider]),
    opencodeProviderKeys: JSON.stringify({ mine: "key" }),
  };
  program = await startOpencode(settings, { "provider-mine": "key" });
  receiver = new Receiver();
  await receiver.start();
  home = await openHome({
    domain: "home.example.com",
    hostile: "elsewhere.example.net",
    guarded: true,
    settings,
    programs: { "opencode-server:4096": program.port },
    secrets: program.secrets,
  });
  notifier = new Notifier(await notifierPython());
  const [login = ""] = Object.values(program.secrets);
  const [user, password = ""] = Buffer.from(login.replace("Basic ", ""), "base64").toString().split(":");
  const server = `http://127.0.0.1:${program.port}`;
  const sessions = { server, user, major: 1, page: "https://code.home.example.com" };
  notifier.configure([receiver.url()], { sessions }, {}, password);
});
afterAll(async () => {
  await home.stop();
  await notifier.remove();
  receiver.stop();
  program.stop();
  models.stop();
});

async function call<T>(path: string, body: object): Promise<T> {
  const [authorization = ""] = Object.values(program.secrets);
  const address = `http://127.0.0.1:${program.port}${path}?directory=${encodeURIComponent(program.folder)}`;
  const headers = { authorization, "content-type": "application/json" };
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text || "null") as T;
}
const create = (title: string) => call<{ readonly id: string }>("/session", { title });
const prompt = (id: string, modelID = "deep-thought") =>
  call(`/session/${id}/message`, {
    model: { providerID: "mine", modelID },
    parts: [{ type: "text", text: "What is it?" }],
  });
const sent = () => receiver.got.map(({ title, message }) => `${title}\n${message}`);
const arrived = (count: number) =>
  until(
    () => receiver.got.length >= count,
    () => [sent(), notifier.words],
    90,
  );

test("each turn is news once, whether the notifier listened or not", async () => {
  notifier.start();
  await until(
    () => notifier.words.includes("news goes to"),
    () => notifier.words,
  );
  const folder = Buffer.from(program.folder).toString("base64url");
  const link = (id: string) => `https://code.home.example.com/${folder}/session/${id}`;

  const first = await create("The question");
  await prompt(first.id);
  await arrived(1);
  expect(sent()).toEqual([`Done: The question\n${link(first.id)}`]);
  await until(() => notifier.settled(), sent);

  await notifier.kill();
  const second = await create("Unseen");
  await prompt(second.id);
  notifier.start();
  await arrived(2);
  expect(sent()[1]).toBe(`Done: Unseen\n${link(second.id)}`);

  await prompt(first.id);
  await arrived(3);
  expect(sent()[2]).toBe(`Done: The question\n${link(first.id)}`);
  expect(notifier.words).not.toMatch(/could not be asked|answers 4/);
});

test("the link of a piece of news opens its session on a phone, behind the sign-in", async () => {
  const before = receiver.got.length;
  const [wanted, other] = [await create("Which one?"), await create("Another")];
  await prompt(other.id);
  await arrived(before + 1);
  await prompt(wanted.id);
  await arrived(before + 2);
  const [, link = ""] = /\n(https:\S+)$/.exec(sent()[before + 1] ?? "") ?? [];
  expect(link).toContain(wanted.id);

  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  const stranger = await (await home.browser.newContext(phone)).newPage();
  await stranger.goto(link);
  expect(new URL(stranger.url()).host).toBe("auth.home.example.com");
  await stranger.context().close();

  const context = await home.signedIn(phone);
  const page = await context.newPage();
  // As from another program of the phone.
  await page.goto(link);
  await page.getByText("The answer is 42.").first().waitFor();
  // 1.18.33 goes on to a path that names its server; the session is the same.
  expect(new URL(page.url()).pathname).toMatch(new RegExp(`/session/${wanted.id}$`));
  expect(await page.getByText("Which one?").count()).toBeGreaterThan(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await context.close();
});
