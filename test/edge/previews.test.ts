// A dev server of OpenCode's workspace as a person sees it: the real Vite behind the rendered Caddy and what leads it to localhost, in a
// browser that is signed in.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { loginSecret } from "../../components/reverse-proxy/sites";
import { keptFolder } from "../support/cached";
import { untilOpen } from "../support/rendered-caddy";
import { type Home, openHome } from "./home";

jest.setTimeout(5 * 60_000);

// renovate: datasource=npm depName=vite
const viteVersion = "7.3.8";
const domain = "home.example.com";

let folder: string;
let vite: ChildProcess;
let home: Home;
let port: number;

/** Vite's program, installed once. */
async function installed(): Promise<string> {
  const kept = await keptFolder(`vite-${viteVersion}`, (made) => {
    execFileSync("npm", ["install", "--prefix", made, "--no-audit", "--no-fund", `vite@${viteVersion}`], {
      stdio: "ignore",
    });
  });
  return join(kept, "node_modules/vite/bin/vite.js");
}

beforeAll(async () => {
  const program = await installed();
  folder = mkdtempSync(join(tmpdir(), "vite-project-"));
  const files = {
    "index.html": `<!doctype html><title>Mine</title><p id="out"></p><script type="module" src="/main.js"></script>`,
    "main.js": `import { word } from "./word.js";
const show = (text) => { document.getElementById("out").textContent = text; };
show(word);
window.loads = Number(sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1);
import.meta.hot.accept("./word.js", (next) => show(next.word));`,
    "word.js": `export const word = "first";`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  port = await freePort();
  vite = spawn(process.execPath, [program, "--port", String(port), "--strictPort", folder], {
    cwd: folder,
    stdio: "ignore",
  });
  await untilOpen(port);
  home = await openHome({
    domain,
    hostile: "elsewhere.example.net",
    guarded: true,
    programs: { [`localhost:${port}`]: port },
    settings: { opencodePreviews: `[${port}]` },
    secrets: { [loginSecret("opencode")]: "Basic of-nobody" },
  });
});
afterAll(async () => {
  await home.stop();
  vite.kill();
  rmSync(folder, { recursive: true });
});

test("its page shows, and an edit arrives there without a reload", async () => {
  const page = await home.context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(`https://${port}-code.${domain}/`);
  await page.getByText("first", { exact: true }).waitFor();
  const connected = () => said.some((text) => text.includes("[vite] connected."));
  for (let tries = 0; tries < 100 && !connected(); tries++) await page.waitForTimeout(100);
  expect([connected(), said]).toEqual([true, said]);
  writeFileSync(join(folder, "word.js"), `export const word = "second";`);
  await page.getByText("second", { exact: true }).waitFor();
  expect(await page.evaluate("window.loads")).toBe(1);
  expect(said.filter((text) => /WebSocket|blocked|refused/i.test(text))).toEqual([]);
  await page.close();
});
