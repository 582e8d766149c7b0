// Jest has V8 compile each module anew for each test file: of a file that runs the program, the greater part of its processor time. Here a
// module is compiled once in a process, and run in the globals of each file that loads it. Functions that V8 has compiled when they
// were first called stay compiled, too.
const { AsyncLocalStorage } = require("node:async_hooks");
const vm = require("node:vm");
const { TestEnvironment } = require("jest-environment-node");

const made = new Map();
vm.compileFunction = (text, parameters, { filename, parsingContext }) => {
  const head = `(function (${parameters.join(", ")}) {`;
  const key = `${filename} ${head}`;
  let known = made.get(key);
  if (known?.text !== text) {
    // Without Jest's own import() of ES modules, which this Node does not support in `vm`.
    known = { text, script: new vm.Script(`${head}${text}\n})`, { filename, columnOffset: -head.length }) };
    made.set(key, known);
  }
  return known.script.runInContext(parsingContext);
};

// Jest 30 has Node follow each promise, to tell which test an error comes from that nobody caught: a tenth of the time of a program's run.
// Tests of a file run one after the other here, so it is the one that runs, as in Jest 29.
const { run, getStore } = AsyncLocalStorage.prototype;
const current = new WeakMap();
const isOfJest = (store) => typeof store === "object" && store !== null && "test" in store;
AsyncLocalStorage.prototype.run = function (store, call, ...words) {
  if (!isOfJest(store)) return run.call(this, store, call, ...words);
  const outer = current.get(this);
  current.set(this, store);
  return call(...words).finally(() => current.set(this, outer));
};
AsyncLocalStorage.prototype.getStore = function () {
  return current.has(this) ? current.get(this) : getStore.call(this);
};

module.exports = TestEnvironment;
