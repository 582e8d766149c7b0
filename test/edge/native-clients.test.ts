// OpenCode's own clients, as it is deployed: the real program behind the rendered Caddy, by the key of a device, and a provider
// of models that the settings name.
import { type ChildProcess, spawn } from "node:child_process";
import { type Server, createServer } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { deviceSecret } from "../../components/reverse-proxy/sites";
import { everyApp } from "../support/app-settings";
import { type Home, openHome } from "./home";
import { type ModelServer, startModelServer } from "../support/model-server";
import { type OpenCode, startOpencode } from "./programs";

jest.setTimeout(120_000);

const domain = "home.example.com";
const host = `code.${domain}`;
const key = "k".repeat(40);
const modelKey = "model-key-of-mine";
const donatedKey = "key-at-the-model-proxy";

let models: ModelServer;
/** Answers for the donation site's model proxy. */
let donated: ModelServer;
let program: OpenCode;
let home: Home;
let way: Server;
beforeAll(async () => {
  models = await startModelServer("The answer is 42.");
  donated = await startModelServer("It is donated.");
  // Where names lead, which Docker's aliases say on a host; Caddy's port is known once it runs.
  way = await wayTo(() => home.port);
  const settings = {
    opencodeDevices: '["laptop"]',
    opencodeProviders: JSON.stringify([
      {
        name: "mine",
        kind: "openai-compatible",
        baseUrl: models.url,
        models: ["deep-thought"],
        default: "deep-thought",
      },
    ]),
    opencodeProviderKeys: JSON.stringify({ mine: modelKey }),
    ...everyDonation(),
    opencodeDonationModels: '["gift-1"]',
  };
  program = await startOpencode(
    settings,
    { "provider-mine": modelKey, "provider-donation": donatedKey },
    // The model server of the other provider is no name that only Caddy knows.
    { ...throughCaddy(), NO_PROXY: "127.0.0.1" },
  );
  home = await openHome({
    domain,
    hostile: "elsewhere.example.net",
    guarded: true,
    settings,
    programs: { "opencode-server:4096": program.port, "donation-proxy:8317": donated.port },
    secrets: {
      ...program.secrets,
      [deviceSecret("opencode", "laptop")]: `Basic ${Buffer.from(`opencode:${key}`).toString("base64")}`,
    },
  });
});
afterAll(async () => {
  way.close();
  await home.stop();
  program.stop();
  for (const one of [models, donated]) one.stop();
});

/** A proxy that leads each name to this port of this machine, since no DNS knows the names. */
async function wayTo(port: () => number): Promise<Server> {
  const server = createServer();
  server.on("connect", (_request, socket) => {
    const onward = connect(port(), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    for (const one of [onward, socket]) one.on("error", () => one.destroy());
  });
  await listen(server);
  return server;
}

function throughCaddy(): NodeJS.ProcessEnv {
  const address = way.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return { HTTPS_PROXY: `http://127.0.0.1:${address.port}`, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
}

/** What the donation site needs to be on. */
const everyDonation = () =>
  Object.fromEntries(Object.entries(everyApp("least")).filter(([setting]) => setting.startsWith("donation")));

/** The environment of somebody's own machine. */
function laptop(): NodeJS.ProcessEnv {
  return { ...program.environment, ...throughCaddy(), TERM: "xterm" };
}

const arrived = () => home.recorder.of(host).filter(({ at }) => at === "opencode-server:4096");

/** `opencode run` at the laptop: how it ended, and what it printed. */
function ask(...words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const args = ["run", "--format", "json", "--attach", `https://${host}`, ...words];
  // It reads what it is given on standard input, to the end.
  const child = spawn(program.command, args, { env: laptop(), stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) =>
    child.on("close", (code) => {
      resolve({ code, output });
    }),
  );
}

test("opencode run --attach with the key of a device asks the model that the settings name", async () => {
  // The model is asked in time, but 1.18.33 often prints nothing on a busy machine, without Caddy either: the session has the answer.
  expect(await ask("-p", key, "--dir", program.folder, "What is it?")).toMatchObject({ code: 0 });
  const sessions = await program.read(`/session?directory=${encodeURIComponent(program.folder)}`);
  const [, id = ""] = /"id":"(ses_[^"]+)"/.exec(sessions) ?? [];
  await until(async () => (await program.read(`/session/${id}/message`)).includes("The answer is 42."));
  const answered = models.requests.filter(({ body }) => JSON.stringify(body).includes("What is it?"));
  expect(answered.length).toBeGreaterThan(0);
  expect(models.requests.map(({ path }) => path)).toEqual(models.requests.map(() => "/v1/chat/completions"));
  for (const { authorization, body } of models.requests) {
    expect(authorization).toBe(`Bearer ${modelKey}`);
    expect(body).toMatchObject({ model: "deep-thought" });
  }
  expect(arrived().length).toBeGreaterThan(0);
});

test("the donation site's models are a provider: asked by Caddy's route, with a key of OpenCode's own", async () => {
  const words = ["-p", key, "--dir", program.folder, "--model", "donation/gift-1", "Is it free?"];
  expect(await ask(...words)).toMatchObject({ code: 0 });
  await until(() => donated.requests.some(({ body }) => JSON.stringify(body).includes("Is it free?")));
  for (const { path, authorization, body } of donated.requests) {
    expect([path, authorization]).toEqual(["/v1/chat/completions", `Bearer ${donatedKey}`]);
    expect(body).toMatchObject({ model: "gift-1" });
  }
  const asked = home.recorder.of(`models.${domain}`).filter(({ at }) => at === "donation-proxy:8317");
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.every(({ headers }) => headers.cookie === undefined)).toBe(true);
});

test("opencode attach opens its terminal interface by that key, with its stream of events", async () => {
  const before = arrived().length;
  const words = `${program.command} attach https://${host} -p ${key} --dir ${program.folder}`;
  const terminal = spawn("script", ["-qec", words, "/dev/null"], {
    env: laptop(),
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  try {
    await until(() =>
      arrived()
        .slice(before)
        .some(({ url }) => /^\/(global\/)?event/.test(url)),
    );
    expect(
      arrived()
        .slice(before)
        .every(({ headers }) => headers.cookie === undefined),
    ).toBe(true);
  } finally {
    end(terminal);
    // What it had asked for has arrived by then.
    await sleep(500);
  }
});

test.each([
  ["no key", []],
  ["a wrong key", ["-p", "wrong"]],
  ["the key in another user's name", ["-p", key, "-u", "admin"]],
])("opencode run with %s fails, and nothing of it arrives at the server", async (_name, login) => {
  const before = arrived().length;
  const { code, output } = await ask(...login, "Hello");
  expect([code, output]).toEqual([1, expect.not.stringContaining("The answer")]);
  expect(arrived().length).toBe(before);
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds()) return;
    await sleep(200);
  }
  throw new Error("it has not happened within a minute");
}

function end(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
}
