import { availableParallelism } from "node:os";

const transform = {
  "(\\.ts|/oauth4webapi/.+\\.js)$": [
    "@swc/jest",
    { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "commonjs" }, sourceMaps: "inline" },
  ],
};

// Packages that are ES modules alone.
const modules = "/node_modules/(?!oauth4webapi/)";

const project = {
  testEnvironment: "<rootDir>/test/support/environment.cjs",
  runtime: "<rootDir>/test/support/runtime.cjs",
  transform,
  transformIgnorePatterns: [modules],
  // What each test file would load for nothing: with Pulumi's SDK, what writes functions as text, which this program has none of, and
  // what drives the CLI; with zod, its messages in other languages.
  moduleNameMapper: {
    "/typescript-shim$|^@npmcli/arborist$|^normalize-package-data$|^\\./automation$|^\\.\\./locales/index\\.cjs$":
      "<rootDir>/test/support/absent.cjs",
    "^\\./debuggable$": "<rootDir>/test/support/debuggable.cjs",
  },
};

const withTools = { ...project, globalSetup: "<rootDir>/test/tools/needs.ts" };

/**
 * `unit` needs Node and git alone. `tools` needs what `test/tools/needs.ts` lists; so do `kit`, the sandbox, and each package, by its name.
 * `machine` has throw-away hosts of each system, `sandbox`, `apps`, `move` and `cloud` deploy to such, file after file (`--runInBand`).
 */
export default {
  // A browser or a stand-in that is slow to die must not hold up a finished run.
  forceExit: true,
  // One more than there are processors: some tests wait for a bound of time to pass.
  maxWorkers: availableParallelism() + 1,
  // Only for what hangs: beside other suites, what takes a few seconds alone has taken half a minute.
  testTimeout: 120_000,
  projects: [
    {
      ...project,
      displayName: "unit",
      testMatch: ["<rootDir>/test/unit/**/*.test.ts"],
      globalSetup: "<rootDir>/test/support/prepared.cjs",
      globalTeardown: "<rootDir>/test/support/prepared-end.cjs",
      moduleNameMapper: {
        ...project.moduleNameMapper,
        "(^\\./|/stack/)prepared$": "<rootDir>/node_modules/.cache/tests/prepared.cjs",
      },
    },
    { ...withTools, displayName: "tools", testMatch: ["<rootDir>/test/tools/**/*.test.ts"] },
    { ...withTools, displayName: "kit", testMatch: ["<rootDir>/{sandbox,test/toolchain}/**/*.test.ts"] },
    ...["alicloud-emulator", "donation-site", "offline-kit", "policy-pack"].map((name) => ({
      ...withTools,
      displayName: name,
      testMatch: [`<rootDir>/packages/${name}/test/**/*.test.ts`],
      testPathIgnorePatterns: ["/node_modules/", "/donation-site/test/round\\.test\\.ts$"],
    })),
    // Kills the site after each step of a donation: 3 minutes of processor time, and once in a full run it stood still.
    { ...withTools, displayName: "round", testMatch: ["<rootDir>/packages/donation-site/test/round.test.ts"] },
    { ...project, displayName: "edge", testMatch: ["<rootDir>/test/edge/**/*.test.ts"] },
    { ...project, displayName: "machine", testMatch: ["<rootDir>/test/machine/**/*.test.ts"] },
    { ...project, displayName: "sandbox", testMatch: ["<rootDir>/test/sandbox/sandbox.test.ts"] },
    { ...project, displayName: "apps", testMatch: ["<rootDir>/test/sandbox/apps.test.ts"] },
    { ...project, displayName: "lwsandbox", testMatch: ["<rootDir>/test/sandbox/lwsandbox/*.test.ts"] },
    { ...project, displayName: "mainland", testMatch: ["<rootDir>/test/sandbox/mainland.test.ts"] },
    { ...project, displayName: "ops", testMatch: ["<rootDir>/test/sandbox/{ops,ops-faults}.test.ts"] },
    { ...project, displayName: "move", testMatch: ["<rootDir>/test/sandbox/ops-move.test.ts"] },
    { ...project, displayName: "cloud", testMatch: ["<rootDir>/test/cloud/**/*.test.ts"] },
  ],
};
