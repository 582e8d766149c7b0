// The notifier at the real OpenCode of the version that is deployed: a turn that is done, one that fails, and one that it did not see.
import { Notifier, Receiver, notifierPython, until } from "../support/notifier";
import { type ModelServer, startModelServer } from "./model-server";
import { type OpenCode, startOpencode } from "./programs";

jest.setTimeout(240_000);

let models: ModelServer;
let program: OpenCode;
let receiver: Receiver;
let notifier: Notifier;
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
  notifier = new Notifier(await notifierPython());
  const [login = ""] = Object.values(program.secrets);
  const [user, password = ""] = Buffer.from(login.replace("Basic ", ""), "base64").toString().split(":");
  const server = `http://127.0.0.1:${program.port}`;
  const sessions = { server, user, major: 1, page: "https://code.home.example.com" };
  notifier.configure([receiver.url()], { sessions }, {}, password);
});
afterAll(async () => {
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

test("each turn is told once, whether the notifier listened or not", async () => {
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
