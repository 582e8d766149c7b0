/**
 * For esbuild: components/stack/prepared.ts gets contents, made by this project's own code when a bundle is made. To compile the
 * templates and to compress the files of a host takes longer than all the rest of rendering them. A file that has changed since then is
 * not found among them, and the run makes what it needs.
 */
const Module = require("node:module");
const { join, resolve } = require("node:path");

const project = resolve(__dirname, "..");

module.exports = {
  name: "prepared",
  setup({ esbuild, onLoad }) {
    onLoad({ filter: /[\\/]components[\\/]stack[\\/]prepared\.ts$/ }, async () => {
      const { prepare } = await ownCode(esbuild, "components/stack/prepare.ts");
      const { templates, parts } = await prepare(join(project, "stack-templates"));
      const compiled = templates.map(([key, code]) => `[${JSON.stringify(key)}, ${code}]`);
      const contents = `export const templates = new Map([${compiled}]), parts = new Map(${JSON.stringify(parts)});`;
      return { contents, loader: "js" };
    });
  },
};

async function ownCode(esbuild, entry) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: project,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "silent",
  });
  const module = new Module(entry);
  module.require = Module.createRequire(join(project, "package.json"));
  new Function("exports", "require", "module", outputFiles[0].text)(module.exports, module.require, module);
  return module.exports;
}
