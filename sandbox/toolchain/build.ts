import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

const MODULE = join(__dirname, "pulumi-cli");
const NEEDS = "go1.26.6";

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

function go(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, {
      cwd: MODULE,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (data: Buffer): void => {
      output += data.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, output: output.trim() });
    });
  });
}

/** Fails with the way out when there is no Go compiler that could build the CLI. */
async function requireGo(version: string): Promise<void> {
  const advice = `Install Go ${NEEDS.slice(2)} or newer, or the official Pulumi CLI ${version}, and try again.`;
  const cannot = `The official Pulumi CLI cannot be downloaded here, and building it needs Go ${NEEDS.slice(2)} or newer`;
  let found: Finished;
  try {
    found = await go(["version"]);
  } catch {
    throw new Error(`${cannot}, but there is no \`go\` on PATH. ${advice}`);
  }
  // The go.mod names the least version, so an older Go either fetches a newer one or says why it cannot.
  if (found.code !== 0) throw new Error(`${cannot}: ${found.output} ${advice}`);
}

/** Builds the real CLI from its public Go module, whose sums are pinned in this repository. */
export async function buildPulumi(version: string, target: string, say: (line: string) => void): Promise<void> {
  await requireGo(version);
  say(`Building the Pulumi CLI ${version} from its Go module. Once only: some minutes, 2.5 GB of memory.`);
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.partial-${randomUUID()}`;
  const stamp = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`;
  const command = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  try {
    const build = await go(["build", "-mod=readonly", "-trimpath", "-ldflags", stamp, "-o", temporary, command], {
      CGO_ENABLED: "0",
      GOWORK: "off",
    });
    if (build.code !== 0) {
      const tail = build.output.split("\n").slice(-15).join("\n");
      throw new Error(`Building the Pulumi CLI failed. Go's last lines:\n${tail}`);
    }
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}
