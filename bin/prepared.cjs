/**
 * For esbuild: components/stack/prepared.ts gets contents, made by this project's own code when a bundle is made. To compile the
 * templates and to compress the files of a host takes longer than all the rest of rendering them. A file that has changed since then is
 * not found among them, and the run makes what it needs.
 */
const { join, resolve } = require("node:path");

const project = resolve(__dirname, "..");
const plugin = {
  name: "prepared",
  setup({ onLoad }) {
    const filter = /[\\/]components[\\/]stack[\\/]prepared\.ts$/;
    onLoad({ filter }, async () => ({ contents: await contents(), loader: "js" }));
  },
};

module.exports = { plugin, contents };

/** The text of a CommonJS module in the place of prepared.ts. */
async function contents() {
  const { prepare } = await ownCode("components/stack/prepare.ts");
  const { templates, parts } = await prepare(join(project, "stack-templates"));
  const compiled = templates.map(([key, code]) => `[${JSON.stringify(key)}, ${code}]`);
  return `exports.templates = new Map([${compiled}]);\nexports.parts = new Map(${JSON.stringify(parts)});\n`;
}

async function ownCode(entry) {
  const { outputFiles } = await require("esbuild").build({
    absWorkingDir: project,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "silent",
  });
  const module = { exports: {} };
  new Function("exports", "require", "module", outputFiles[0].text)(module.exports, require, module);
  return module.exports;
}
