const transform = {
  "^.+\\.ts$": [
    "@swc/jest",
    { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "commonjs" }, sourceMaps: "inline" },
  ],
};

const project = { testEnvironment: "node", transform };

/** `unit` needs no host; `sandbox` deploys to a throw-away one and runs file after file (`--runInBand`). */
export default {
  projects: [
    { ...project, displayName: "unit", testMatch: ["<rootDir>/test/{unit,toolchain,stand-ins}/**/*.test.ts"] },
    { ...project, displayName: "sandbox", testMatch: ["<rootDir>/test/sandbox/**/*.test.ts"] },
  ],
};
