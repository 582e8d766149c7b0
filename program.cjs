// What `main` of Pulumi.yaml names: index.ts, without the seconds that compiling it takes.
module.exports = async () => (await require("./bin/load.cjs")("index.ts")).default();
