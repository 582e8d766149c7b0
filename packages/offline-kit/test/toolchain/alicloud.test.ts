import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pulumiVersion } from "../../../../cli/official-pulumi";
import { preparePulumi } from "../../toolchain";
import { requireMemory } from "../../toolchain/alicloud";
import { packageVersion } from "../../toolchain/bundle";
import tokens from "../../toolchain/alicloud-provider/tokens.json";

const npmPackage = dirname(createRequire(__filename).resolve("@pulumi/alicloud/package.json"));
const version = packageVersion("@pulumi/alicloud");

/** The npm package's source of a token such as `alicloud:vpc/network:Network`. */
function source(token: string): string {
  const path = token.split(":")[1] ?? "";
  const file = join(npmPackage, `${path.replace(/^index\//, "")}.js`);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

describe("tokens.json", () => {
  it.each(Object.entries(tokens.resources))("%s is the resource that the npm package asks for", (_name, token) => {
    expect(source(token)).toContain(`static __pulumiType = '${token}';`);
  });

  it.each(Object.entries(tokens.functions))("%s is the function that the npm package calls", (_name, token) => {
    expect(source(token)).toContain(`pulumi.runtime.invoke("${token}"`);
  });
});

it("refuses to build where the compiler would run out of memory, in one sentence", () => {
  expect(() => {
    requireMemory(5e9);
  }).not.toThrow();
  expect(() => {
    requireMemory(3.94e9);
  }).toThrow(
    "Building pulumi-resource-alicloud needs 5.0 GB of free memory, and there are 3.9 GB. " +
      "Stop what else is running here, or install the official Pulumi CLI, and try again.",
  );
});

describe("preparing", () => {
  const path = process.env["PATH"] ?? "";
  let folder: string;
  let options: { cacheDir: string; say: (line: string) => void };
  const said: string[] = [];
  const goCalls = (): string[] => {
    const log = join(folder, "go.log");
    return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
  };

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "alicloud-")));
    options = { cacheDir: join(folder, "cache"), say: (line) => said.push(line) };
    program(`cache/pulumi-${pulumiVersion}/pulumi`);
    // A compiler that writes down how it is called and makes an empty program.
    program(
      "bin/go",
      `#!/bin/sh
echo "$*" >> ${folder}/go.log
while [ $# -gt 1 ]; do [ "$1" = -o ] && echo made > "$2" && chmod +x "$2"; shift; done
exit 0
`,
    );
    process.env["PATH"] = [join(folder, "bin"), "/bin", "/usr/bin"].join(delimiter);
    jest.spyOn(process, "availableMemory").mockReturnValue(8e9);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    process.env["PATH"] = path;
    said.length = 0;
    rmSync(folder, { recursive: true, force: true });
  });

  function program(name: string, contents = "#!/bin/sh\n"): void {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
    chmodSync(file, 0o755);
  }

  it("builds the plugin once for all callers, with the version of the npm package, where the engine looks", async () => {
    const wanted = { ...options, alicloud: true };
    const [prepared] = await Promise.all([preparePulumi(wanted), preparePulumi(wanted)]);
    await preparePulumi(wanted);
    const builds = goCalls().filter((call) => call.startsWith("build"));
    expect(builds).toHaveLength(1);
    expect(builds[0]).toContain(`-X main.version=${version}`);
    const home = prepared.env["PULUMI_HOME"] ?? "";
    const plugin = join(home, `plugins/resource-alicloud-v${version}/pulumi-resource-alicloud`);
    expect(readFileSync(plugin, "utf8")).toBe("made\n");
    // The two callers speak in any order.
    expect(said.filter((line) => !line.startsWith("Waiting for another process"))).toEqual([
      expect.stringMatching(/^Building pulumi-resource-alicloud \S+ from .*minutes.*memory and .* disk\.$/),
      expect.stringMatching(/^Built pulumi-resource-alicloud in \d+ s\.$/),
    ]);
  });

  it("builds nothing unless asked to", async () => {
    await preparePulumi(options);
    expect(goCalls()).toEqual([]);
  });

  it("says that memory is short before it starts the compiler", async () => {
    jest.spyOn(process, "availableMemory").mockReturnValue(2e9);
    await expect(preparePulumi({ ...options, alicloud: true })).rejects.toThrow("needs 5.0 GB of free memory");
    expect(goCalls()).toEqual(["version"]);
  });

  it("says what to install where there is no Go", async () => {
    process.env["PATH"] = "/nowhere";
    await expect(preparePulumi({ ...options, alicloud: true })).rejects.toThrow(
      "The official plugin pulumi-resource-alicloud cannot be downloaded here, and building it needs Go 1.26.6 or newer, " +
        "but there is no `go` on PATH. Install Go 1.26.6 or newer, or the official Pulumi CLI, which downloads its " +
        "plugins itself, and try again.",
    );
  });
});
