// Jest reads each module again for each test file, of a file that runs the program 500 of packages. Those stay the same while a process
// lives, and are read once.
const { sep } = require("node:path");
const { default: Runtime } = require("jest-runtime");

const texts = new Map();
const ofPackage = (path) => path.includes(`${sep}node_modules${sep}`) && !path.includes(`${sep}.cache${sep}`);

class Contents extends Map {
  get(path) {
    return super.get(path) ?? texts.get(path);
  }
  set(path, text) {
    if (!ofPackage(path)) return super.set(path, text);
    texts.set(path, text);
    return this;
  }
}

module.exports = class extends Runtime {
  constructor(config, environment, resolver, transformer, contents, ...rest) {
    super(config, environment, resolver, transformer, new Contents(contents), ...rest);
  }
};
