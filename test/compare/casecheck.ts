/** Run by `npm run compare:casecheck`: the same accounts, activities and check-ins at the real CaseCheck and at its stand-in. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWith } from "../../cli/exit";
import { CasecheckBackend, CasecheckDatabase, adminPassword, standInSource } from "../support/casecheck-backend";
import { type Step, checkInSteps } from "../support/casecheck-steps";
import { reportDifferences } from "@cloudcode/offline-kit/compare/report";

const usage = "usage: npm run compare:casecheck -- --real FOLDER (a checkout of CaseCheck's repository)";

async function observe(source: string): Promise<ReadonlyMap<string, Step>> {
  const database = await CasecheckDatabase.start();
  const backend = await CasecheckBackend.of(source, database);
  try {
    database.prepare("1".repeat(40));
    const { status, said } = backend.migrate();
    if (status !== 0) throw new Error(`the migration of ${source} failed:\n${said}`);
    await backend.serve();
    return await checkInSteps(backend.url, adminPassword, true);
  } finally {
    backend.stop();
    await database.stop();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { real: { type: "string" }, help: { type: "boolean" } } });
  if (values.help === true || values.real === undefined) throw new Error(usage);
  const folder = resolve(values.real);
  if (!existsSync(join(folder, "backend/alembic"))) throw new Error(`${folder} is no checkout of CaseCheck\n${usage}`);
  const [real, standIn] = await Promise.all([observe(folder), observe(standInSource)]);
  return reportDifferences("CaseCheck", real, standIn, new Set()) === 0 ? 0 : 1;
}

exitWith(main());
