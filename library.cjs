// What `require("cloudcode")` gives: see docs/library.md. library.d.ts has the types.
module.exports = { Home: require("./bin/load.cjs").now("index.ts").Home };
