// Jest has V8 compile each module anew for each test file: of a file that runs the program, the greater part of its processor time. Here a
// module is compiled once in a process, and run in the globals of each file that loads it. Functions that V8 has compiled when they
// were first called stay compiled, too.
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

module.exports = TestEnvironment;
