// What all test files have in common, made once. Templates are compiled and files compressed as for a bundle, and found by their contents,
// too; bundles of the processes that tests start are kept for the whole run.
const { mkdirSync, mkdtempSync, renameSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join, resolve } = require("node:path");
const { contents } = require("../../bin/prepared.cjs");

const file = resolve(__dirname, "../../node_modules/.cache/tests/prepared.cjs");

module.exports = async () => {
  process.env.TEST_BUNDLES = mkdtempSync(join(tmpdir(), "bundles-"));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, await contents());
  renameSync(`${file}.${process.pid}`, file);
};
