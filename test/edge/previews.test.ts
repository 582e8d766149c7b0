// Dev servers of OpenCode's workspace as a person sees them: the real Vite and Next behind the rendered Caddy and what leads it to
// localhost, in a browser that is signed in. None of them has a setting for it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { WebSocket } from "ws";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { until } from "../../cli/run";
import { loginSecret } from "../../components/reverse-proxy/sites";
import { keptFolder } from "../support/cached";
import { untilOpen } from "../support/rendered-caddy";
import { type Home, openHome } from "./home";

// A dev server compiles what is asked for first, on a busy machine for a minute.
jest.setTimeout(10 * 60_000);

// renovate: datasource=npm depName=vite
const viteVersion = "7.3.8";
// renovate: datasource=npm depName=next
const nextVersion = "16.4.6";
// renovate: datasource=npm depName=react
const reactVersion = "19.3.1";
const domain = "home.example.com";

let home: Home;
let ports: Readonly<Record<"vite" | "turbopack" | "webpack", number>>;

beforeAll(async () => {
  ports = { vite: await freePort(), turbopack: await freePort(), webpack: await freePort() };
  home = await openHome({
    domain,
    hostile: "elsewhere.example.net",
    guarded: true,
    programs: Object.fromEntries(Object.values(ports).map((port) => [`localhost:${port}`, port])),
    settings: { opencodePreviews: JSON.stringify(Object.values(ports)) },
    secrets: { [loginSecret("opencode")]: "Basic of-nobody" },
  });
});
afterAll(async () => {
  await home.stop();
});

const siteOf = (port: number) => `https://${port}-code.${domain}`;

/** Packages of npm, installed once. */
function installed(...packages: readonly [string, ...string[]]): Promise<string> {
  return keptFolder(packages[0].replace("@", "-"), (made) => {
    execFileSync("npm", ["install", "--prefix", made, "--no-audit", "--no-fund", ...packages], { stdio: "ignore" });
  });
}

/** A project with a dev server that is running. */
class Project {
  private constructor(
    private readonly folder: string,
    private readonly server: ChildProcess,
  ) {}

  /** @param kept what {@link installed} answers: the project is in it, where its programs find their packages */
  static async start(kept: string, files: Readonly<Record<string, string>>, command: readonly string[], port: number) {
    const folder = mkdtempSync(join(kept, "project-"));
    for (const [name, text] of Object.entries(files)) write(folder, name, text);
    const [program = "", ...words] = command;
    const server = spawn(process.execPath, [join(kept, "node_modules", program), ...words, "--port", String(port)], {
      cwd: folder,
      env: { ...process.env, NODE_ENV: "development", NEXT_TELEMETRY_DISABLED: "1" },
      stdio: "ignore",
    });
    await untilOpen(port);
    return new Project(folder, server);
  }

  write(name: string, text: string): void {
    write(this.folder, name, text);
  }

  async stop(): Promise<void> {
    const ended = once(this.server, "exit");
    this.server.kill();
    await ended;
    rmSync(this.folder, { recursive: true });
  }
}

function write(folder: string, name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

interface Opened {
  readonly page: Page;
  /** What its console said. */
  readonly said: readonly string[];
  /** Addresses of its WebSockets, and what they heard. */
  readonly sockets: readonly string[];
  readonly frames: readonly string[];
}

async function opened(context: BrowserContext): Promise<Opened> {
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const said: string[] = [];
  const sockets: string[] = [];
  const frames: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("websocket", (socket) => {
    sockets.push(socket.url());
    socket.on("framereceived", ({ payload }) => frames.push(payload.toString()));
  });
  return { page, said, sockets, frames };
}

/** Waits until one of these texts has these words in it. */
async function heard(texts: readonly string[], words: string): Promise<void> {
  await until(
    60,
    () => Promise.resolve(texts.some((text) => text.includes(words)) || undefined),
    () => Promise.resolve(`there is no ${words} in ${texts.join("\n")}`),
  );
}

/** What a console says where a socket or a request did not get through. */
const refused = /WebSocket|blocked|refused/i;

describe("Vite", () => {
  let project: Project;
  beforeAll(async () => {
    const files = {
      "index.html": `<!doctype html><title>Mine</title><p id="out"></p><script type="module" src="/main.js"></script>`,
      "main.js": `import { word } from "./word.js";
const show = (text) => { document.getElementById("out").textContent = text; };
show(word);
window.loads = Number(sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1);
import.meta.hot.accept("./word.js", (next) => show(next.word));`,
      "word.js": `export const word = "first";`,
    };
    const kept = await installed(`vite@${viteVersion}`);
    project = await Project.start(kept, files, ["vite/bin/vite.js", "--strictPort"], ports.vite);
  });
  afterAll(() => project.stop());

  test("its page shows, and an edit arrives there without a reload", async () => {
    const { page, said } = await opened(home.context);
    await page.goto(`${siteOf(ports.vite)}/`);
    await page.getByText("first", { exact: true }).waitFor();
    await heard(said, "[vite] connected.");
    project.write("word.js", `export const word = "second";`);
    await page.getByText("second", { exact: true }).waitFor();
    expect(await page.evaluate("window.loads")).toBe(1);
    expect(said.filter((text) => refused.test(text))).toEqual([]);
    await page.close();
  });
});

/** A page of the app router with a part that runs in the browser, and forms for Server Actions. */
const nextFiles = {
  "app/layout.js": `export default ({ children }) => <html lang="en"><body>{children}</body></html>;`,
  "app/page.js": nextPage("first"),
  "app/counter.js": nextCounter("Count"),
  "app/done/page.js": `import Link from "next/link";
export default () => <><h1>done</h1><Link href="/">Home</Link></>;`,
  "app/old/route.js": `export const GET = (request) => Response.redirect(new URL("/done", request.url));
export const dynamic = "force-dynamic";`,
};

function nextPage(word: string): string {
  return `import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { Counter } from "./counter";

async function greet(form) {
  "use server";
  (await cookies()).set("name", form.get("name"));
}
async function leave() {
  "use server";
  redirect("/done");
}

export default async function Page() {
  const name = (await cookies()).get("name")?.value ?? "nobody";
  return (
    <>
      <h1>${word}</h1>
      <p>Hello {name}</p>
      <Counter />
      <form action={greet}><input name="name" /><button>Greet</button></form>
      <form action={leave}><button>Leave</button></form>
    </>
  );
}`;
}

function nextCounter(word: string): string {
  return `"use client";
import { useState } from "react";
export function Counter() {
  const [count, setCount] = useState(0);
  return <button onClick={() => setCount(count + 1)}>${word} {count}</button>;
}`;
}

/**
 * Saves a file until what it says is shown. On a busy machine Turbopack sent nothing for an edit soon after the page had opened, although it
 * built it and the WebSocket was open; the next edit came. So this does not show that the first edit arrives.
 */
async function saved(project: Project, name: string, text: string, shown: Locator): Promise<void> {
  for (let saves = 0; saves < 8 && !(await shown.isVisible()); saves++) {
    project.write(name, `${text}\n// ${saves}\n`);
    await shown.waitFor({ timeout: 20_000 }).catch(() => undefined);
  }
  await shown.waitFor();
}

describe.each([
  ["turbopack", "--turbopack"],
  ["webpack", "--webpack"],
] as const)("Next with %s", (bundler, flag) => {
  let project: Project;
  let site: string;
  beforeAll(async () => {
    const kept = await installed(`next@${nextVersion}`, `react@${reactVersion}`, `react-dom@${reactVersion}`);
    const port = ports[bundler];
    project = await Project.start(kept, nextFiles, ["next/dist/bin/next", "dev", flag], port);
    site = siteOf(port);
    for (const path of ["/", "/done", "/old"])
      expect((await fetch(`http://localhost:${port}${path}`)).status).toBe(200);
  });
  afterAll(() => project.stop());

  test("its page shows, and edits arrive there without a reload", async () => {
    const { page, said, sockets, frames } = await opened(home.context);
    await page.goto(`${site}/`);
    await page.getByRole("heading", { name: "first" }).waitFor();
    await page.getByRole("button", { name: "Count 0" }).click();
    await page.getByRole("button", { name: "Count 1" }).waitFor();
    await heard(frames, '"type":"sync"');
    // The part of the browser keeps its state, and so it does when the server's part changes.
    const counter = page.getByRole("button", { name: "Number 1" });
    await saved(project, "app/counter.js", nextCounter("Number"), counter);
    await saved(project, "app/page.js", nextPage("second"), page.getByRole("heading", { name: "second" }));
    await counter.waitFor();
    expect(sockets).toEqual([expect.stringContaining(`${site.replace("https:", "wss:")}/_next/hmr`)]);
    expect(said.filter((text) => refused.test(text))).toEqual([]);
    await page.close();
  });

  test.each([
    ["with scripts", true],
    ["without", false],
  ])("Server Actions of a page %s answer, set a cookie and lead elsewhere", async (_what, javaScriptEnabled) => {
    const context = await home.signedIn({ javaScriptEnabled });
    const { page } = await opened(context);
    await page.goto(`${site}/`);
    await page.getByText("Hello nobody").waitFor();
    await page.getByRole("textbox").fill("Jo");
    await page.getByRole("button", { name: "Greet" }).click();
    await page.getByText("Hello Jo").waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("heading", { name: "done" }).waitFor();
    expect(page.url()).toBe(`${site}/done`);
    await context.close();
  });

  test("a redirect to the address that the server takes for its own leads back to the preview", async () => {
    const { page } = await opened(home.context);
    await page.goto(`${site}/old`);
    await page.getByRole("heading", { name: "done" }).waitFor();
    expect(page.url()).toBe(`${site}/done`);
    await page.getByRole("link", { name: "Home" }).click();
    await page.getByRole("heading", { name: "second" }).waitFor();
    expect(page.url()).toBe(`${site}/`);
    await page.close();
  });

  test("the server itself lets only pages of its own origin hear of edits", async () => {
    const port = ports[bundler];
    const ask = (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`ws://localhost:${port}/_next/hmr`, { origin });
        socket.on("open", () => {
          resolve("open");
          socket.terminate();
        });
        socket.on("error", () => {
          resolve("refused");
        });
      });
    expect([await ask(site), await ask(`http://localhost:${port}`)]).toEqual(["refused", "open"]);
  });
});
