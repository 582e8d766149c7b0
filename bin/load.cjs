/**
 * Runs the TypeScript of this project without compiling it each time. A file and all it imports become one bundle, made by
 * esbuild and kept in node_modules/.cache until one of its sources or an installed package changes; what V8 compiled of it is
 * kept too. Both can be deleted at any time.
 */
const { spawnSync } = require("node:child_process");
const { createHash, randomUUID } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { dirname, join, relative, resolve, sep } = require("node:path");
const { Script } = require("node:vm");
const { launched, withoutClosures, withoutDebugMessages, withoutStacks } = require("./sdk.cjs");

const project = resolve(__dirname, "..");
const modules = `${sep}node_modules${sep}`;
/** What the engine runs, with what its runs have in common made ahead. */
const program = "index.ts";
/** Written by npm at each change of the installed packages: this project's, or those it was installed with as a package. */
const installed = installedPackages();

/**
 * Not in a bundle: the SDK, which the engine's launcher has loaded before the program; the SDKs of clouds, of which a stack
 * needs a few files; what one command alone loads; what finds a native part of its own by its path.
 */
const external = [
  "@pulumi/pulumi",
  "@pulumi/alicloud",
  "@pulumi/cloudflare",
  "@pulumi/policy",
  "@modelcontextprotocol/server",
  "@modelcontextprotocol/server/stdio",
  "argon2",
  "cpu-features",
  "esbuild",
  "*.node",
];

/**
 * The exports of a file of this project.
 *
 * @param {string} entry its path below the project
 * @returns {Promise<any>}
 */
module.exports = async function load(entry) {
  const cache = cacheFolder();
  const name = join(cache, entry.replace(/[\\/]/g, "-").replace(/\.ts$/, ""));
  const text = fresh(name) ?? (await bundle(entry, name));
  traceSources(`${name}.cjs`);
  withoutClosures();
  if (launched()) {
    withoutDebugMessages();
    withoutStacks();
  }
  return run(`${name}.cjs`, text);
};

/**
 * The same at once, for a program that has this project as a package. Where its stacks of errors point is its own matter.
 *
 * @param {string} entry its path below the project
 * @returns {any}
 */
module.exports.now = function now(entry) {
  const name = join(cacheFolder(), entry.replace(/[\\/]/g, "-").replace(/\.ts$/, ""));
  if (launched()) withoutDebugMessages();
  return run(`${name}.cjs`, fresh(name) ?? bundledByChild(entry, name));
};

/** esbuild takes no plugins where it is not waited for. */
function bundledByChild(entry, name) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [__filename, entry, name], { maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${entry} cannot be compiled: ${stderr.toString()}`);
  return stdout.toString();
}

function installedPackages() {
  for (let folder = project; ; folder = dirname(folder)) {
    const file = join(folder, "node_modules", ".package-lock.json");
    if (existsSync(file) || folder === dirname(folder)) return relative(project, file);
  }
}

/** CLOUDCODE_BUNDLES names another folder, for a checkout that cannot be written to. */
function cacheFolder() {
  return process.env.CLOUDCODE_BUNDLES ?? join(project, "node_modules", ".cache", "cloudcode");
}

/** What tells a file from its earlier self: a change of content changes the last of these, whatever else is set back. */
function stamp(path) {
  const { size, mtimeMs, ctimeMs } = statSync(join(project, path), { throwIfNoEntry: false }) ?? {};
  return size === undefined ? "" : `${size} ${mtimeMs} ${ctimeMs}`;
}

/** The bundle's text, unless one of its sources is another now. */
function fresh(name) {
  try {
    const { sources } = JSON.parse(readFileSync(`${name}.json`, "utf8"));
    if (Object.entries(sources).every(([path, known]) => stamp(path) === known))
      return readFileSync(`${name}.cjs`, "utf8");
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes(error.code) && !(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

async function bundle(entry, name) {
  const { build } = require("esbuild");
  // File systems tell the time in steps.
  const before = Date.now() - 50;
  const { metafile, outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: [entry],
    outfile: `${name}.cjs`,
    bundle: true,
    write: false,
    metafile: true,
    sourcemap: "external",
    platform: "node",
    target: "node20",
    format: "cjs",
    external,
    // It is read and compared at each run. Names stay, and lines are short enough to be shown with an error.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 200,
    // A script of `vm` has no import() of its own.
    supported: { "dynamic-import": false },
    plugins: [...(entry === program ? [require("./prepared.cjs").plugin] : []), { name: "places", setup: ownPlaces }],
    logLevel: "silent",
  });
  const sources = Object.keys(metafile.inputs).filter(isOwn);
  const stamps = Object.fromEntries(
    [...sources, installed, relative(project, __filename)].map((path) => [path, stamp(path)]),
  );
  const [map, code] = [".map", ".cjs"].map((end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "");
  // A source that changed meanwhile is in doubt: the next run builds the bundle again.
  const settled = sources.every(
    (path) => (statSync(join(project, path), { throwIfNoEntry: false })?.ctimeMs ?? before) < before,
  );
  try {
    mkdirSync(dirname(name), { recursive: true });
    rmSync(`${name}.json`, { force: true });
    replace(`${name}.cjs.map`, map);
    replace(`${name}.cjs`, code);
    if (settled) replace(`${name}.json`, JSON.stringify({ sources: stamps }));
  } catch (error) {
    // A checkout that is only read costs the time of compiling at each run.
    if (!["EACCES", "EEXIST", "ENOTDIR", "EPERM", "EROFS", "ENOSPC"].includes(error.code)) throw error;
  }
  return code;
}

/** @param path relative to the project */
function isOwn(path) {
  return !path.startsWith("..") && !join(sep, path).includes(modules);
}

/** Each file of the project still knows its own place, wherever project and bundle are. */
function ownPlaces(build) {
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    if (!isOwn(relative(project, path))) return undefined;
    const text = readFileSync(path, "utf8");
    if (!/\b__(dir|file)name\b/.test(text)) return undefined;
    const at = JSON.stringify(`/${relative(project, path).replaceAll(sep, "/")}`);
    const names = `const __filename = __project + ${at}, __dirname = __filename.slice(0, __filename.lastIndexOf("/"));`;
    return { contents: `${names} ${text}`, loader: "ts" };
  });
}

/** At once or not at all, as others may read it now. */
function replace(file, content) {
  const temporary = `${file}.${process.pid}-${randomUUID()}`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

function run(file, text) {
  const compiled = `${file}.${process.version}-${process.arch}`;
  const key = createKey(text);
  const script = new Script(`(function (exports, require, module, __project, __dirname, __filename) {\n${text}\n})`, {
    filename: file,
    lineOffset: -1,
    cachedData: compiledBefore(compiled, key),
  });
  if (script.cachedDataRejected !== false) process.once("exit", () => keep(compiled, key, script));
  const module = new Module(file);
  // As the file that was bundled: packages are found from there, whatever folder the cache is in.
  module.require = Module.createRequire(join(project, "package.json"));
  script.runInThisContext().call(module.exports, module.exports, module.require, module, project, project, file);
  return module.exports;
}

function createKey(text) {
  return createHash("sha256").update(text).digest();
}

/** What V8 compiled of just this text the time before. V8 itself compares no more than the length. */
function compiledBefore(file, key) {
  try {
    const data = readFileSync(file);
    return data.subarray(0, key.length).equals(key) ? data.subarray(key.length) : undefined;
  } catch {
    return undefined;
  }
}

function keep(file, key, script) {
  try {
    replace(file, Buffer.concat([key, script.createCachedData()]));
  } catch {
    // It costs the next run some time, and nothing else.
  }
}

/**
 * Stacks of errors name lines of the sources. The map is read when one is shown and not before: the SDK asks for a stack
 * each time a resource is declared, and reading the map takes longer than all the rest of the program.
 */
function traceSources(file) {
  let map;
  const sourceOf = (text, line, column) => {
    map ??= mapOf(file);
    const entry = map?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry?.originalSource === undefined) return text;
    return `${resolve(dirname(file), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  };
  const place = new RegExp(`${file.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}:(\\d+):(\\d+)`, "g");
  const traced = (stack) => stack.replace(place, sourceOf);
  // The engine's launcher reads the maps of the SDK for each of these stacks, too; it prints what nobody caught.
  const byLauncher = launched();
  Error.prepareStackTrace = byLauncher ? undefined : (error, frames) => traced([error, ...frames].join("\n    at "));
  const trace = (error) => {
    if (error instanceof Error && error.stack !== undefined) error.stack = traced(error.stack);
  };
  if (byLauncher)
    for (const event of ["uncaughtException", "unhandledRejection"]) process.prependListener(event, trace);
}

function mapOf(file) {
  try {
    return new Module.SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
  } catch {
    return undefined;
  }
}

if (require.main === module) {
  const [entry, name] = process.argv.slice(2);
  bundle(entry, name).then(
    (code) => process.stdout.write(code),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
