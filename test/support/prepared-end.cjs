const { rmSync } = require("node:fs");

module.exports = () => rmSync(process.env.TEST_BUNDLES, { recursive: true, force: true });
