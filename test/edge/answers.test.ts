// A person asks OpenCode in a browser, behind the sign-in: the real program of the version that is deployed, at the rendered Caddy, with a
// server of models that answers word by word.
import type { Page } from "playwright-core";
import { type Home, openHome } from "./home";
import { type ModelServer, startModelServer } from "../support/model-server";
import { type OpenCode, startOpencode } from "./programs";

jest.setTimeout(240_000);

const domain = "home.example.com";
const begun = "The answer begins";
let models: ModelServer;
let program: OpenCode;
let home: Home;
/** Lets the model say its last word, to each question. */
let goOn: () => void = () => undefined;
const wordGiven = new Promise<void>((resolve) => (goOn = resolve));

beforeAll(async () => {
  models = await startModelServer(`${begun} and ends here.`, () => wordGiven);
  const provider = {
    name: "mine",
    kind: "openai-compatible",
    baseUrl: models.url,
    models: ["deep-thought"],
    default: "deep-thought",
  };
  const settings = {
    opencodeProviders: JSON.stringify([provider]),
    opencodeProviderKeys: JSON.stringify({ mine: "model-key" }),
  };
  program = await startOpencode(settings, { "provider-mine": "model-key" });
  home = await openHome({
    domain,
    hostile: "elsewhere.example.net",
    guarded: true,
    settings,
    programs: { "opencode-server:4096": program.port },
    secrets: program.secrets,
  });
});
afterAll(async () => {
  goOn();
  await home.stop();
  program.stop();
  models.stop();
});

/** Of a new session in the workspace. */
async function sessionUrl(): Promise<string> {
  const [authorization = ""] = Object.values(program.secrets);
  const folder = encodeURIComponent(program.folder);
  const answer = await fetch(`http://127.0.0.1:${program.port}/session?directory=${folder}`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ title: "The question" }),
  });
  const { id } = (await answer.json()) as { readonly id: string };
  return `https://code.${domain}/${Buffer.from(program.folder).toString("base64url")}/session/${id}`;
}

async function ask(page: Page, question: string): Promise<void> {
  const input = page.getByRole("textbox").first();
  await input.waitFor({ timeout: 60_000 });
  // Until the page knows which model it will ask, it sends nothing.
  await page.getByText("deep-thought").first().waitFor();
  await input.click();
  await page.keyboard.type(question);
  await page.keyboard.press("Enter");
}

test("who is not signed in gets to the portal, and no model is asked", async () => {
  const stranger = await (await home.browser.newContext()).newPage();
  await stranger.goto(await sessionUrl());
  expect(new URL(stranger.url()).host).toBe(`auth.${domain}`);
  expect(models.requests).toEqual([]);
  await stranger.context().close();
});

test("the answer appears in the browser while the model still speaks, and then whole", async () => {
  const page = await home.context.newPage();
  await page.goto(await sessionUrl());
  await ask(page, "What is it?");
  await page.getByText(begun).first().waitFor({ timeout: 60_000 });
  expect(await page.getByText("and ends here.").count()).toBe(0);
  const asked = models.requests.filter(({ body }) => JSON.stringify(body).includes("What is it?"));
  expect(asked.length).toBeGreaterThan(0);
  for (const { authorization, body } of asked) {
    expect(authorization).toBe("Bearer model-key");
    expect(body).toMatchObject({ model: "deep-thought", stream: true });
  }
  goOn();
  await page.getByText("and ends here.").first().waitFor({ timeout: 60_000 });
  // The words came to the page by way of Caddy alone.
  const streams = home.recorder.of(`code.${domain}`).filter(({ url }) => /^\/(global\/)?event/.test(url));
  expect(streams.length).toBeGreaterThan(0);
  await page.close();
});
