// Templates are compiled and files compressed once for all test files, as for a bundle, and found by their contents, too.
const { mkdirSync, renameSync, writeFileSync } = require("node:fs");
const { dirname, resolve } = require("node:path");
const { contents } = require("../../bin/prepared.cjs");

const file = resolve(__dirname, "../../node_modules/.cache/tests/prepared.cjs");

module.exports = async () => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, await contents());
  renameSync(`${file}.${process.pid}`, file);
};
