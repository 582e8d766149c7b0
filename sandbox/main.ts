import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitWith } from "../cli/exit";
import { z } from "zod";
import { cacheDir } from "../cli/cache";
import { openPage } from "./browser/open";
import { up } from "./engine-events";
import { folderOf } from "./folder";
import { giveBack } from "./host/machine-changes";
import { Progress } from "./progress";
import { type Sandbox, openAlicloudSandbox, openSandbox, removeSandbox, sandboxParts } from "./sandbox";
import { runShell } from "./shell";

const usage = `usage: npm run sandbox [-- COMMAND] [--target existing|alicloud] [--name NAME] [--all-apps]
  up               starts the sandbox and prints URL and login (default)
  shell [-- WORDS] opens a shell, or runs one command, in which pulumi and npm run ops work on the sandbox
  open             opens the sign-in portal in a Chromium that trusts the sandbox's certificates
  destroy          removes the sandbox`;

/** By target, so that one of each can be there. */
const defaultNames = { existing: "sandbox", alicloud: "alicloud" } as const;
type Target = keyof typeof defaultNames;

interface Choice {
  readonly name: string;
  readonly target: Target;
  readonly allApps: boolean;
}

/** On a terminal nothing but the living line is shown, so a change is reported at once; elsewhere each is a line that stays. */
const tellEveryMs = process.stderr.isTTY ? 500 : 15_000;

const outputSchema = z.object({
  url: z.string(),
  urls: z.record(z.string(), z.string()),
  adminUsername: z.string(),
  adminPassword: z.string(),
  nextSteps: z.array(z.string()),
});

/** Opens it, and tells how far that is. */
async function opened<T>(
  { name, target, allApps }: Choice,
  more: readonly string[],
  use: (sandbox: Sandbox, progress: Progress) => Promise<T>,
) {
  const progress = new Progress([...sandboxParts, ...more], process.stderr);
  try {
    const open = target === "existing" ? openSandbox : openAlicloudSandbox;
    const track = <W>(part: string, work: Promise<W>) => progress.track(part, work);
    return await use(await open(name, progress.say, { allApps, track }), progress);
  } finally {
    progress.end();
  }
}

async function bringUp(choice: Choice): Promise<void> {
  const started = Date.now();
  const { sandbox, text } = await opened(choice, ["pulumi up"], async (sandbox, progress) => {
    const { origin } = sandbox.engine;
    progress.say(
      `Running pulumi up (${origin === "official" ? "official CLI" : "CLI built from its Go module"}); the first one installs Docker on the host and builds OpenCode's image`,
    );
    await progress.track("pulumi up", up(sandbox, progress.say, tellEveryMs));
    const { stdout } = await sandbox.pulumi(["stack", "output", "--json", "--show-secrets"]);
    return { sandbox, text: stdout };
  });
  const output = outputSchema.parse(JSON.parse(text));
  const root = join(sandbox.folder, "root-ca.pem");
  writeFileSync(root, await sandbox.acme.issuingRoot());
  const command = (word: string) => `npm run sandbox -- ${word}${selection(choice)}`;
  console.log(`Ready after ${Math.round((Date.now() - started) / 1000)} s

  URL       ${output.url}
  User      ${output.adminUsername}
  Password  ${output.adminPassword}
  Apps      ${Object.entries(output.urls)
    .map(([app, url]) => `${app} ${url}`)
    .join("\n            ")}

  ${command("open")}
    opens the sign-in portal in a Chromium that trusts the sandbox's certificates and resolves its names
  ${command("shell")}
    opens a shell in which \`pulumi preview\`, \`pulumi stack output url\`, \`npm run ops -- status\` work on the sandbox
  ${command("destroy")}
    removes the sandbox

  In another browser, trust the certificate ${root}, or accept the browser's warning. The names end in
  sslip.io, whose public DNS answers with the host's address. If that DNS cannot be reached, add to /etc/hosts:
  ${sandbox.host.address} ${[output.url, ...Object.values(output.urls), `https://auth.${sandbox.domain}`].map((url) => new URL(url).hostname).join(" ")}

  ${output.nextSteps.join("\n  ")}
`);
}

/** The options that name this sandbox again. */
function selection({ name, target }: Choice): string {
  const options = target === "existing" ? "" : ` --target ${target}`;
  return name === defaultNames[target] ? options : `${options} --name ${name}`;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        target: { type: "string", default: "existing" },
        name: { type: "string" },
        "all-apps": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch {
    throw new Error(usage);
  }
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parsed(args);
  if (values.help || positionals[0] === "help") {
    console.log(usage);
    return;
  }
  const { target, "all-apps": allApps } = values;
  if (target !== "existing" && target !== "alicloud") throw new Error(usage);
  const { name = defaultNames[target] } = values;
  const [action = "up", ...words] = positionals;
  if (!/^[a-z0-9-]{1,20}$/.test(name) || (action !== "shell" && words.length > 0)) throw new Error(usage);
  const choice: Choice = { name, target, allApps };
  if (action === "up") await bringUp(choice);
  else if (action === "shell") process.exitCode = await runShell(await found(choice), words);
  else if (action === "open") {
    const sandbox = await found(choice);
    await openPage(sandbox, `https://${sandbox.domain}`);
  } else if (action === "destroy") await destroy(name);
  else throw new Error(usage);
}

/** What was built stays for the next one, unless it is named for removal. */
async function destroy(name: string): Promise<void> {
  await removeSandbox(name, console.log);
  await giveBack(console.log);
  console.log(
    `Kept for the next sandbox: ${cacheDir}, and Docker's images cloudcode-sandbox/*. To remove them, delete that folder and run docker image rm $(docker image ls --quiet 'cloudcode-sandbox/*').`,
  );
}

/**
 * The sandbox that `up` made, started where it does not run.
 *
 * @throws Error where there is none
 */
async function found(choice: Choice): Promise<Sandbox> {
  if (!existsSync(folderOf(choice.name)))
    throw new Error(`There is no sandbox ${choice.name}: npm run sandbox -- up${selection(choice)} starts it.`);
  return opened(choice, [], (sandbox) => Promise.resolve(sandbox));
}

exitWith(main(process.argv.slice(2)));
