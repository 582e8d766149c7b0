import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openAlicloudSandbox, openSandbox, removeSandbox } from "./sandbox";

const usage = "usage: npm run sandbox [-- up|destroy] [--target existing|alicloud] [--name NAME] [--all-apps]";

/** By target, so that one of each can be there. */
const defaultNames = { existing: "sandbox", alicloud: "alicloud" } as const;
type Target = keyof typeof defaultNames;

async function up(name: string, target: Target, allApps: boolean): Promise<void> {
  const started = Date.now();
  const say = (line: string) => {
    console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}`);
  };
  const sandbox = await (target === "existing" ? openSandbox : openAlicloudSandbox)(name, say, { allApps });
  say(
    `Running pulumi up (${sandbox.engine.origin === "official" ? "official CLI" : "CLI built from its Go module"}); the first one installs Docker on the host and builds OpenCode's image`,
  );
  await sandbox.pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
  const { stdout } = await sandbox.pulumi(["stack", "output", "--json", "--show-secrets"]);
  const output = JSON.parse(stdout) as {
    url: string;
    urls: Record<string, string>;
    adminUsername: string;
    adminPassword: string;
    nextSteps: string[];
  };
  const root = join(sandbox.folder, "root-ca.pem");
  writeFileSync(root, await sandbox.acme.issuingRoot());
  say("Ready");
  console.log(`
  URL       ${output.url}
  User      ${output.adminUsername}
  Password  ${output.adminPassword}
  Apps      ${Object.entries(output.urls)
    .map(([app, url]) => `${app} ${url}`)
    .join("\n            ")}

  Certificates come from a throw-away authority; trust ${root} in your browser, or pass its warning.
  The names end in sslip.io, whose public DNS answers with the host's address. Without that DNS, add to /etc/hosts:
  ${sandbox.host.address} ${[output.url, ...Object.values(output.urls), `https://auth.${sandbox.domain}`].map((url) => new URL(url).hostname).join(" ")}

  ${output.nextSteps.join("\n  ")}

  Remove everything: npm run sandbox -- destroy${name === defaultNames.existing ? "" : ` --name ${name}`}
`);
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: "string", default: "existing" },
      name: { type: "string" },
      "all-apps": { type: "boolean", default: false },
    },
  });
  const { target } = values;
  if (target !== "existing" && target !== "alicloud") throw new Error(usage);
  const { name = defaultNames[target] } = values;
  const [action = "up", ...rest] = positionals;
  if (!/^[a-z0-9-]{1,20}$/.test(name) || rest.length > 0) throw new Error(usage);
  if (action === "up") await up(name, target, values["all-apps"]);
  else if (action === "destroy") await removeSandbox(name, console.log);
  else throw new Error(usage);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
