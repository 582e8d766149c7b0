/** Run by `npm run preview:stack`: the preview of a real stack, with the account, state and passphrase of the environment. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWith } from "../cli/exit";
import { cacheDir } from "../cli/cache";
import { ensurePulumi } from "../cli/official-pulumi";
import { run } from "../cli/run";
import { say } from "../cli/say";
import { labelsOf, report } from "./preview/report";
import { outcomeOf, previewCommand } from "./preview/run";

const usage = `usage: npm run preview:stack -- --stack NAME [OPTIONS]
  --change FOLDER checkout to preview, after \`npm ci\` (this one); a pull request is judged by the scripts of its base
  --drift         compare with what is really there, and fail if anything differs
  --summary FILE  where the summary is written (.sandbox/preview.md)
It fails, too, if the machine, the data disk, the address or the backups would be replaced, deleted or unprotected, unless the
JSON list in PREVIEW_LABELS has "allow-replace".`;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      change: { type: "string", default: resolve(__dirname, "..") },
      stack: { type: "string" },
      drift: { type: "boolean", default: false },
      summary: { type: "string", default: ".sandbox/preview.md" },
      help: { type: "boolean", default: false },
    },
  });
  const { stack, drift, summary: file } = values;
  if (values.help || stack === undefined) {
    console.log(usage);
    if (!values.help) process.exitCode = 2;
    return;
  }
  const labels = labelsOf(process.env["PREVIEW_LABELS"]);
  const engine = await ensurePulumi(cacheDir, say);
  const compare = drift ? ["--refresh", "--expect-no-changes"] : [];
  const command = [
    ...previewCommand,
    ...compare,
    "--non-interactive",
    "--cwd",
    resolve(values.change),
    "--stack",
    stack,
  ];
  const outcome = await outcomeOf(
    run(engine.pulumi, command, { env: { ...engine.env, PULUMI_SKIP_UPDATE_CHECK: "true" } }),
  );
  const title = `${drift ? "Drift" : "Preview"} of the stack ${stack}`;
  if (!report([{ title, ...outcome }], { file, labels })) process.exitCode = 1;
}

exitWith(main(process.argv.slice(2)));
