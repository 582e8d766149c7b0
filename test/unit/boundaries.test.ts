import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

/** Lints each text as the file of that name would be, by eslint.boundaries.mjs alone; whether it is refused. */
function refused(files: readonly (readonly [path: string, text: string])[]): boolean[] {
  const program = `
    import { ESLint } from "eslint";
    import tseslint from "typescript-eslint";
    import { boundaries } from "./eslint.boundaries.mjs";
    const parser = { files: ["**/*.ts"], languageOptions: { parser: tseslint.parser } };
    const eslint = new ESLint({ overrideConfigFile: true, overrideConfig: [parser, ...boundaries] });
    const files = ${JSON.stringify(files)};
    const results = await Promise.all(files.map(([filePath, text]) => eslint.lintText(text, { filePath })));
    console.log(JSON.stringify(results.map(([one]) => one.errorCount > 0)));`;
  const cwd = resolve(__dirname, "../..");
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd, encoding: "utf8" }),
  ) as boolean[];
}

const cases: readonly (readonly [path: string, text: string, refused: boolean])[] = [
  ["ops/ssh.ts", `import { run } from "../sandbox/host/ssh";`, true],
  ["ops/status/outside.ts", `import { waitForNames } from "../../scripts/wait-dns";`, true],
  ["ops/adopt/plan.ts", `export { emulator } from "../../packages/alicloud-emulator";`, true],
  ["ops/adopt/plan.ts", `export { startEmulator } from "@cloudcode/alicloud-emulator";`, true],
  ["packages/alicloud-emulator/src/cloud.ts", `import { Stack } from "../../../sandbox/stack";`, true],
  ["packages/alicloud-emulator/test/ecs.test.ts", `import { Stack } from "../../../sandbox/stack";`, false],
  ["packages/offline-kit/compare/side.ts", `import { renderRelease } from "../../../components/stack/release";`, false],
  ["ops/ssh.ts", `const { keys } = await import("../test/support/keys");`, true],
  ["ops/bin.mjs", `const keys = require("../test/support/keys");`, true],
  ["ops/ssh.ts", "const { keys } = await import(`../test/support/keys`);", true],
  ["ops/ssh.ts", "const keys = require(`../test/${name}`);", true],
  ["ops/ssh.ts", `import keys = require("../test/support/keys");`, true],
  ["ops/ssh.ts", `type Keys = import("../test/support/keys").Keys;`, true],
  ["ops/ssh.ts", `const path = require.resolve("../sandbox/host/ssh");`, true],
  ["ops/ssh.ts", `const path = new URL("../sandbox/host/ssh.ts", import.meta.url);`, true],
  ["ops/ssh.ts", `const ssh = await load("sandbox/host/ssh.ts");`, true],
  ["ops/ssh.ts", `export * from "../test/support/keys";`, true],
  ["ops/ssh.ts", `import type { Keys } from "../test/support/keys";`, true],
  ["ops/ssh.ts", `import { Keys } from "@cloudcode/offline-kit"; `, true],
  ["ops/ssh.ts", `say("a test of the sandbox: ops/ssh.ts"); const folder = "sandbox";`, false],
  ["ops/status/old.js", `const keys = require("../../test/support/keys");`, true],
  ["components/host/old.cjs", `const keys = require("../../test/support/keys");`, true],
  ["bin/cloudcode-hook.cjs", `require("../ops/main.ts");`, true],
  ["bin/cloudcode-hook.cjs", `require("./load.cjs")("ops/main.ts");`, true],
  ["bin/cloudcode-hook.cjs", `require("./load.cjs")("components/host/reach.ts");`, false],
  ["library.cjs", `require("./test/support/keys");`, true],
  ["program.cjs", `require("./sandbox/main.ts");`, true],
  ["ops/ssh.ts", `import { run } from "../cli/run"; import { hostOf } from "../components/routes";`, false],
  ["scripts/preview-stack.ts", `import { preparePulumi } from "../sandbox/toolchain";`, true],
  ["scripts/preview/run.ts", `import type { Output } from "../../cli/run"; import "./preview";`, false],
  ["components/host/host.ts", `import type { Output } from "../../cli/run";`, true],
  ["components/apps/app.ts", `import { operations } from "../operations";`, false],
  ["cli/preview.ts", `import { hostOf } from "../components/routes";`, true],
  ["index.ts", `import { keys } from "./test/support/keys";`, true],
  ["index.ts", `import { operations } from "./components/operations";`, false],
  ["packages/donation-site/src/app.ts", `import { hostOf } from "../../../components/routes";`, true],
  ["sandbox/main.ts", `import { ops } from "../ops/main"; `, true],
  ["sandbox/main.ts", `import { run } from "../cli/run"; import "../components/images";`, false],
  ["sandbox/host/outer.test.ts", `import { keys } from "../../test/support/keys";`, false],
];

test("arrows go one way: the linter refuses what points from the product to tests and sandbox", () => {
  const said = refused(cases.map(([path, text]) => [path, text]));
  expect(cases.map(([path, text], index) => [path, text, said[index]])).toEqual(cases);
}, 60_000);
