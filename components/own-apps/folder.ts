import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, posix } from "node:path";
import { OperatorError } from "../operator-error";

/** Largest size of all files of an App together, which go to the host in one command, in bytes. */
const largest = 8 * 1024 * 1024;

/** An App's folder on this machine. */
export interface AppFolder {
  readonly name: string;
  /** As a fault names it. */
  readonly title: string;
  readonly path: string;
}

/** `https://HOST/PATH#COMMIT`, with `:FOLDER` behind it where the App is in a folder of the repository. */
export const gitAddress = /^(https:\/\/[\w.-]+(?::\d+)?\/[\w./~+-]+)#([0-9a-f]{40})(?::([\w./-]+))?$/;

/** Name of an App. @param source an entry of the setting `ownApps` */
export function appName(source: string): string {
  const [, repository, , folder = ""] = gitAddress.exec(source) ?? [];
  if (repository === undefined) return source;
  return folder === "" ? basename(repository, ".git") : basename(folder);
}

/**
 * Finds the folder of an App: `apps/NAME` of the project, or a commit of a Git repository, which is fetched once.
 *
 * @param source an entry of the setting `ownApps`
 * @param project folder of the Pulumi project
 * @throws OperatorError where Git cannot fetch the commit
 */
export function appFolder(source: string, project: string): AppFolder {
  const [, repository, commit = "", folder = ""] = gitAddress.exec(source) ?? [];
  const name = appName(source);
  if (repository === undefined) return { name, title: `apps/${source}`, path: join(project, "apps", source) };
  return { name, title: source, path: join(fetched(repository, commit), posix.normalize(`/${folder}`)) };
}

/** The files of a commit. A commit never changes, so one fetch is enough. */
function fetched(repository: string, commit: string): string {
  const cache = join(homedir(), ".cache", "cloudcode", "own-apps");
  const place = join(cache, `${basename(repository)}-${commit}`);
  if (existsSync(place)) return place;
  const making = `${place}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  // No program that a repository names is run, and no other protocol is spoken.
  const options = ["-c", "protocol.allow=never", "-c", "protocol.https.allow=always", "-c", "core.hooksPath=/dev/null"];
  const git = (...words: readonly string[]) =>
    execFileSync("git", [...options, "-C", making, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 120_000,
      env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
    });
  try {
    git("init", "--quiet");
    git("fetch", "--quiet", "--depth", "1", "--no-tags", repository, commit);
    git("checkout", "--quiet", "--detach", commit);
    rmSync(join(making, ".git"), { recursive: true });
    renameSync(making, place);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (existsSync(place)) return place;
    const words = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1) ?? (error as Error).message;
    throw new OperatorError(
      `ownApps: commit ${commit} of ${repository} could not be fetched: ${words}; nothing was touched`,
    );
  }
  return place;
}

/**
 * What there is at a path below a folder. Symbolic links are nothing: they could lead out of it. Nor is a folder without files, which
 * neither a release nor Git carries.
 */
export function kindAt(folder: string, path: string): "file" | "folder" | undefined {
  const steps = path === "." ? [] : path.split("/");
  const places = [folder, ...steps.map((_, depth) => join(folder, ...steps.slice(0, depth + 1)))];
  const found = places.map((place) => lstatSync(place, { throwIfNoEntry: false }));
  if (found.slice(1).some((one) => one?.isSymbolicLink() === true)) return undefined;
  const last = found.at(-1);
  if (last?.isFile() === true) return "file";
  return last?.isDirectory() === true && hasFiles(join(folder, path)) ? "folder" : undefined;
}

function hasFiles(folder: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile());
}

/** Whether files or folders below a folder are together larger than a release may be. */
export function tooLarge(folder: string, paths: readonly string[]): boolean {
  return paths.reduce((sum, path) => sum + sizeOf(join(folder, path)), 0) > largest;
}

function sizeOf(path: string): number {
  const found = lstatSync(path);
  if (found.isFile()) return found.size;
  if (!found.isDirectory()) return 0;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** The text of a file of a folder; undefined where there is none. */
export function textAt(folder: string, path: string): string | undefined {
  return kindAt(folder, path) === "file" ? readFileSync(join(folder, path), "utf8") : undefined;
}
