// Jest has V8 compile each module anew for each test file: two seconds of processor time where a file runs the program. Here V8 keeps what
// it has made of a text, for the next file of the same process.
const vm = require("node:vm");
const { TestEnvironment } = require("jest-environment-node");

const compile = vm.compileFunction;
const made = new Map();
vm.compileFunction = (text, parameters, options) => {
  const key = `${options.filename} ${parameters}`;
  const known = made.get(key);
  if (known?.text === text) return compile(text, parameters, { ...options, cachedData: known.data });
  const result = compile(text, parameters, { ...options, produceCachedData: true });
  made.set(key, { text, data: result.cachedData });
  return result;
};

module.exports = TestEnvironment;
