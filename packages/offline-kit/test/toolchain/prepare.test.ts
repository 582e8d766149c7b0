import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { preparePulumi } from "../../toolchain";
import { buildPulumi } from "../../toolchain/build";
import { withLock } from "../../toolchain/lock";
import { ensurePulumi, findOfficial, officialFolder, pulumiVersion } from "../../../../cli/official-pulumi";

jest.setTimeout(30_000);

let folder: string;
const path = process.env["PATH"] ?? "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "prepare-")));
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true, force: true });
});

function program(path: string, contents = "#!/bin/sh\n"): string {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, contents);
  chmodSync(file, 0o755);
  return file;
}

const silent = (): void => undefined;

describe("the official CLI", () => {
  it("is used when it is on PATH, with nothing standing in for its plugins", async () => {
    const pulumi = program("usr/pulumi");
    program("usr/pulumi-language-nodejs", "\x7fELF");
    process.env["PATH"] = join(folder, "usr");
    const prepared = await preparePulumi({ cacheDir: join(folder, "cache"), say: silent });
    expect(prepared).toEqual({ pulumi, origin: "official", env: { PULUMI_SKIP_UPDATE_CHECK: "true" } });
  });

  it("is not one without language host, and not one with a stand-in for it", async () => {
    program("bare/pulumi");
    program("built/pulumi");
    program("built/pulumi-language-nodejs");
    const official = program("official/pulumi");
    program("official/pulumi-language-nodejs", "\x7fELF");
    const searched = (...names: string[]): string => names.map((name) => join(folder, name)).join(delimiter);
    expect(await findOfficial(searched("bare", "built"))).toBeUndefined();
    expect(await findOfficial(searched("bare", "built", "official"))).toBe(official);
  });
});

describe("the CLI that previews a real stack", () => {
  it("is the one on PATH, if there is one; otherwise the downloaded one, with its folder on PATH", async () => {
    const cacheDir = join(folder, "cache");
    const downloaded = program(`cache/${basename(officialFolder(cacheDir))}/pulumi`);
    process.env["PATH"] = "/nowhere";
    expect(await ensurePulumi(cacheDir, silent)).toEqual({
      pulumi: downloaded,
      env: { PATH: [officialFolder(cacheDir), "/nowhere"].join(delimiter) },
    });
    const installed = program("usr/pulumi");
    process.env["PATH"] = ["/nowhere", join(folder, "usr")].join(delimiter);
    expect(await ensurePulumi(cacheDir, silent)).toEqual({
      pulumi: installed,
      env: { PATH: process.env["PATH"] },
    });
  });

  it("is asked for where there is none and it cannot be downloaded", async () => {
    process.env["PATH"] = "/nowhere";
    const fetched = jest.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("fetch failed"));
    await expect(ensurePulumi(join(folder, "cache"), silent)).rejects.toThrow("Install it: https://");
    fetched.mockRestore();
  });
});

describe("a built CLI", () => {
  it("gets its language host beside it and its plugins where the engine looks, once for all callers", async () => {
    const pulumi = program(`cache/pulumi-${pulumiVersion}/pulumi`);
    process.env["PATH"] = "/nowhere";
    const options = { cacheDir: join(folder, "cache"), say: silent };
    const [first, second] = await Promise.all([preparePulumi(options), preparePulumi(options)]);
    expect(second).toEqual(first);
    expect(first).toMatchObject({ pulumi, origin: "built" });
    const home = first.env["PULUMI_HOME"] ?? "";
    for (const file of [
      join(pulumi, "..", "pulumi-language-nodejs"),
      join(home, "plugins/resource-command-v1.2.1/pulumi-resource-command"),
      join(home, "plugins/resource-random-v4.21.2/pulumi-resource-random"),
      join(home, "plugins/resource-tls-v5.6.1/pulumi-resource-tls"),
    ]) {
      const [shebang, says] = readFileSync(file, "utf8").split("\n", 2);
      expect(shebang).toBe("#!/usr/bin/env node");
      expect(says).toMatch(
        /^\/\/ Stand-in for pulumi-\S+ \S+, used only where the official one cannot be downloaded\.$/,
      );
    }
  });

  it("cannot be had without Go, and says so in one sentence", async () => {
    process.env["PATH"] = "/nowhere";
    await expect(buildPulumi(pulumiVersion, join(folder, "pulumi"), silent)).rejects.toThrow(
      "The official Pulumi CLI cannot be downloaded here, and building it needs Go 1.26.6 or newer, " +
        "but there is no `go` on PATH. Install Go 1.26.6 or newer, or the official Pulumi CLI v3.274.1, and try again.",
    );
  });
});

describe("a lock", () => {
  it("lets one in at a time, and the others wait", async () => {
    const file = join(folder, "lock");
    const log: string[] = [];
    const work = async (name: string): Promise<void> => {
      log.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      log.push(`${name} out`);
    };
    const waited = jest.fn();
    const [a, b] = [withLock(file, waited, () => work("a")), withLock(file, waited, () => work("b"))];
    await Promise.all([a, b]);
    expect(waited).toHaveBeenCalledTimes(1);
    expect(log.filter((_, index) => index % 2 === 1)).toEqual(
      log.filter((_, index) => index % 2 === 0).map((line) => line.replace("in", "out")),
    );
  });

  it("is taken over when its owner is dead", async () => {
    const file = join(folder, "lock");
    writeFileSync(file, "");
    utimesSync(file, new Date(0), new Date(0));
    await expect(withLock(file, silent, () => Promise.resolve("done"))).resolves.toBe("done");
  });
});
