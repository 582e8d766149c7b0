import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../sandbox/folder";
import { CommandError, run } from "../../cli/run";

// `npm run preview:ci` as CI runs it; the real CLI, the real provider, no Docker. Its first run may build the provider.
jest.setTimeout(40 * 60_000);

const example = join("examples", "Pulumi.example.yaml");
let folder: string;
let base: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "preview-test-"));
  // The same program with a stack file of its own.
  base = join(folder, "base");
  cpSync(join(projectRoot, "examples"), join(base, "examples"), { recursive: true });
  for (const name of readdirSync(projectRoot))
    if (!["examples", ".git", ".sandbox"].includes(name)) symlinkSync(join(projectRoot, name), join(base, name));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Finished {
  readonly code: 0 | 1;
  readonly summary: string;
  readonly said: string;
}

/** With `TMPDIR` of its own, which must be empty in the end, and with an account that must not be asked. */
async function previewCi(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const temporary = mkdtempSync(join(folder, "tmp-"));
  const summary = join(folder, "summary.md");
  const foreign = {
    ALICLOUD_ACCESS_KEY: "LTAI-mine",
    ALICLOUD_SECRET_KEY: "mine",
    ALICLOUD_SECURITY_TOKEN: "token-of-mine",
  };
  const command = ["--import", "tsx", "sandbox/preview/main.ts", "--summary", summary, ...args];
  const options = { cwd: projectRoot, env: { TMPDIR: temporary, ...foreign, ...env } };
  const end = (code: 0 | 1, said: string): Finished => ({ code, said, summary: readFileSync(summary, "utf8") });
  writeFileSync(summary, "");
  try {
    const { stdout, stderr } = await run(process.execPath, command, options);
    return end(0, stdout + stderr);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return end(1, error.output.stdout + error.output.stderr);
  } finally {
    expect(readdirSync(temporary).filter((name) => !name.startsWith("tsx-"))).toEqual([]);
  }
}

test("a new stack of the example: everything is created, and nothing is left behind", async () => {
  const { code, summary, said } = await previewCi();
  expect([code, said]).toEqual([0, expect.stringContaining(summary)]);
  expect(summary).toMatch(
    /^## A new stack of examples\/Pulumi.example.yaml\n\n\d+ created\.\n\n\*\*Cost:\*\* (about|at least)/,
  );
  for (const name of ["host-instance", "host-dns-a-apex", "opencode-release", "casecheck-release", "donation-release"])
    expect(summary).toContain(`- \`${name}\` (`);
});

test("the same program as the base: no change", async () => {
  const { code, summary } = await previewCi(["--base", base]);
  expect([code, summary]).toEqual([0, expect.stringMatching(/that the base deployed\n\n\d+ unchanged\.\n/)]);
});

test("another image than the base's: refused, until the label allows it", async () => {
  const other = "  cloudcode:hostImage: ubuntu_24_04_x64_20G_alibase_20260912.vhd\n";
  writeFileSync(join(base, example), readFileSync(join(projectRoot, example), "utf8") + other);
  const refused = await previewCi(["--base", base]);
  expect(refused.code).toBe(1);
  expect(refused.summary).toContain("- the machine `host-instance` is replaced, because of `imageId`");
  // The disk and the address stay, and the preview itself does not fail.
  expect(refused.summary).not.toMatch(/### Errors|- the data disk|- the public address/);
  const allowed = await previewCi(["--base", base], { PREVIEW_LABELS: '["allow-replace"]' });
  expect([allowed.code, allowed.summary]).toEqual([0, expect.stringContaining("Allowed by the label")]);
});

test("a stack file with a fault: the summary has the program's words, the exit code is not 0", async () => {
  const file = join(folder, "faulty.yaml");
  writeFileSync(file, readFileSync(join(projectRoot, example), "utf8").replace("home.example.com", "com"));
  const { code, summary } = await previewCi(["--stack", file]);
  expect([code, summary]).toEqual([1, expect.stringMatching(/### Errors\n\n- `error: .*domain .*fix: /)]);
});
