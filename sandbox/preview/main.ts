/** Run by `npm run preview:ci`: a whole preview on any Linux machine, without a secret and without a cloud account. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWith } from "../../cli/exit";
import { say } from "../../cli/say";
import { projectRoot } from "../folder";
import { previewEmulated } from "./emulated";
import { labelsOf, report } from "../../scripts/preview/report";

const usage = `usage: npm run preview:ci [-- OPTIONS]
  --change FOLDER checkout to preview, after \`npm ci\` (this one); a pull request is judged by the scripts of its base
  --stack FILE    stack file in it; its secrets are replaced by placeholders (examples/Pulumi.example.yaml)
  --base FOLDER   checkout to compare with, after \`npm ci\`: the preview fails if the change replaces, deletes or unprotects
                  the machine, the data disk, the address or the backups, unless the JSON list in PREVIEW_LABELS has
                  "allow-replace"
  --summary FILE  where the summary is written (.sandbox/preview.md)`;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      change: { type: "string" },
      stack: { type: "string", default: "examples/Pulumi.example.yaml" },
      base: { type: "string" },
      summary: { type: "string", default: ".sandbox/preview.md" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  // Go programs trust SSL_CERT_FILE on Linux only, and the emulator has a certificate of its own.
  if (process.platform !== "linux") throw new Error("The preview with an emulated cloud needs Linux: use a Linux VM.");
  const labels = labelsOf(process.env["PREVIEW_LABELS"]);
  const base = values.base === undefined ? undefined : resolve(values.base);
  const project = values.change === undefined ? projectRoot : resolve(values.change);
  const outcomes = await previewEmulated({ project, stackFile: values.stack, base, say });
  if (!report(outcomes, { file: values.summary, labels })) process.exitCode = 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

exitWith(main(process.argv.slice(2)));
