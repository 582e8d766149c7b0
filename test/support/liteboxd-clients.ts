import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { defaultImages, tagOf } from "../../components/images";
import { originOfParts } from "../../sandbox/sandbox";

const run = promisify(execFile);

/** Programs of liteboxd's users. */
export interface LiteboxdClients {
  readonly cli: string;
  /** Where Python finds the package `liteboxd`. */
  readonly pythonPath: string;
  /** Removes both. */
  remove(): void;
}

/**
 * The CLI, which is made of the Go SDK, and the Python SDK, of the version that is deployed: installed from their repository where the
 * publishers' parts can be had, or from the folder `LITEBOXD_SOURCES` of the environment; otherwise none.
 */
export async function liteboxdClients(): Promise<LiteboxdClients | undefined> {
  const given = process.env["LITEBOXD_SOURCES"];
  if (given === undefined && (await originOfParts(true)) !== "official") return undefined;
  const folder = mkdtempSync(join(tmpdir(), "liteboxd-clients-"));
  const sources = given ?? join(folder, "sources");
  const version = tagOf(defaultImages.liteboxdServer);
  if (version === undefined) throw new Error("the image of liteboxd's server has no version");
  if (given === undefined)
    await run("git", [
      "clone",
      "-q",
      "--depth",
      "1",
      "--branch",
      version,
      "https://github.com/fslongjin/liteboxd",
      sources,
    ]);
  const [cli, pythonPath] = [join(folder, "liteboxd"), join(folder, "python")];
  mkdirSync(pythonPath);
  await run("pip3", ["install", "-q", "--target", pythonPath, join(sources, "sdk/python")]);
  await run("go", ["build", "-o", cli, "."], { cwd: join(sources, "liteboxd-cli") });
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  return { cli, pythonPath, remove };
}
