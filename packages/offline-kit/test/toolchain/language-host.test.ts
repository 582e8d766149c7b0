import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseOptions, splitArguments } from "../../toolchain/stand-ins/nodejs/options";
import { requiredPlugins } from "../../toolchain/stand-ins/nodejs/packages";

describe("runtime options", () => {
  it("have the official defaults", () => {
    expect(parseOptions({})).toEqual({ typescript: true, tsconfig: "", nodeargs: [], packagemanager: "auto" });
  });

  it("are read from Pulumi.yaml", () => {
    const options = { typescript: false, nodeargs: "--import tsx", tsconfig: "other.json", packagemanager: "npm" };
    expect(parseOptions(options)).toEqual({ ...options, nodeargs: ["--import", "tsx"] });
  });

  it.each([
    [{ typescript: "yes" }, "typescript option must be a boolean"],
    [{ nodeargs: 3 }, "nodeargs option must be a string"],
    [{ packagemanager: "pip" }, 'packagemanager option must be one of auto, npm, yarn, pnpm or bun, got "pip"'],
  ])("refuse %j", (options, message) => {
    expect(() => parseOptions(options)).toThrow(message);
  });

  it("split arguments like a shell", () => {
    expect(splitArguments(`--a "b c" 'd "e' f\\ g ""`)).toEqual(["--a", "b c", 'd "e', "f g", ""]);
    expect(() => splitArguments("'open")).toThrow();
  });
});

describe("required plugins", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "packages-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function add(path: string, manifest: object): void {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "package.json"), JSON.stringify(manifest));
  }

  it("are those that installed packages name, at every depth", () => {
    add("node_modules/@pulumi/random", { name: "@pulumi/random", version: "4.0.0", pulumi: { resource: true } });
    add("node_modules/plain", { name: "plain", version: "1.0.0" });
    add("node_modules/plain/node_modules/third", {
      name: "third",
      version: "2.0.0",
      pulumi: { resource: true, name: "three", version: "v3.0.0", server: "https://example.invalid" },
    });
    add("node_modules/nameless", { name: "nameless", version: "1.0.0", pulumi: { resource: true } });
    symlinkSync("plain", join(folder, "node_modules", "again"));
    expect(requiredPlugins(folder)).toEqual([
      { name: "random", version: "v4.0.0", server: "", parameterization: undefined },
      { name: "three", version: "v3.0.0", server: "https://example.invalid", parameterization: undefined },
    ]);
  });

  it("are not those of a policy pack", () => {
    add("policy/node_modules/@pulumi/random", { name: "@pulumi/random", version: "4.0.0", pulumi: { resource: true } });
    writeFileSync(join(folder, "policy", "PulumiPolicy.yaml"), "runtime: nodejs\n");
    expect(requiredPlugins(folder)).toEqual([]);
  });
});
