import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isExecutable, placesOnPath } from "../../cli/path";
import type { Sandbox } from "../sandbox";
import { pinnedTo } from "./trust";

const names = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "microsoft-edge",
  "brave-browser",
];

/** Chromium, or one of its relatives: the one that CHROME_PATH names, or the first on PATH. */
async function findChromium(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const given = env["CHROME_PATH"];
  if (given) return given;
  for (const file of names.flatMap((name) => placesOnPath(env["PATH"] ?? "", name)))
    if (await isExecutable(file)) return file;
  return undefined;
}

/**
 * Opens a page of the sandbox in a Chromium that trusts its certificates and finds its names without DNS; resolves when its window
 * is closed. Profile and trust are this browser's alone.
 *
 * @throws Error where there is no Chromium or no screen, with the way out
 */
export async function openPage(sandbox: Sandbox, url: string): Promise<void> {
  const { host, domain, folder, acme } = sandbox;
  const program = await findChromium(process.env);
  const { DISPLAY, WAYLAND_DISPLAY, CHROME_PATH } = process.env;
  const otherwise = `open ${url} in your own browser; \`npm run sandbox\` prints how to make it trust the certificates`;
  if (program === undefined)
    throw new Error(`There is no Chromium or Chrome on PATH, and none in CHROME_PATH: install one, or ${otherwise}.`);
  if (!DISPLAY && !WAYLAND_DISPLAY && !CHROME_PATH)
    throw new Error(`There is no screen here (DISPLAY and WAYLAND_DISPLAY are empty): ${otherwise}.`);
  const profile = join(folder, "browser");
  mkdirSync(profile, { recursive: true });
  const args = [
    `--user-data-dir=${profile}`,
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-sync",
    // Chromium's own sandbox does not start for root.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    // Certificates are pinned, which QUIC does not know.
    "--disable-quic",
    `--host-resolver-rules=MAP *.${domain} ${host.address}, MAP ${domain} ${host.address}`,
    await pinnedTo(host.address, domain, await acme.issuingRoot()),
    url,
  ];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with ${code ?? "a signal"}.`));
    });
  });
}
