/** What a run of the program leaves out of Pulumi's SDK. */
const Module = require("node:module");
const { join, sep } = require("node:path");

module.exports = { launched, withoutClosures, withoutDebugMessages, withoutStacks };

/** Whether the engine's launcher runs this process: it listens for what nobody caught. */
function launched() {
  return process.listenerCount("unhandledRejection") > 0;
}

/** The SDK sends the engine all outputs of each resource, with secrets in plain text, for `pulumi up --debug` to print. */
function withoutDebugMessages() {
  require("@pulumi/pulumi/log").debug = () => Promise.resolve();
}

/**
 * The SDK takes a stack for each resource, for its place in the sources, which is one in the bundle and says nothing, and one for
 * each promise, which is printed only with PULUMI_DEBUG_PROMISE_LEAKS. Together they are a tenth of what a run computes.
 */
function withoutStacks() {
  require("@pulumi/pulumi").Resource.callsites = () => [];
  const debuggable = require("@pulumi/pulumi/runtime/debuggable");
  if (debuggable.debugPromiseLeaks) return;
  const { debuggablePromise } = debuggable;
  debuggable.debuggablePromise = (promise, context) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}

/**
 * The SDK loads the TypeScript compiler and npm's own libraries, 1.3 s of processor time, to carry functions into dynamic
 * providers, and what drives the CLI. This project uses neither, so they wait until somebody asks for one of their parts.
 */
function withoutClosures() {
  const late = new Set(["typescript", "@npmcli/arborist", "normalize-package-data", "execa", "./automation"]);
  const sdk = join("node_modules", "@pulumi", "pulumi") + sep;
  const original = Module._load;
  Module._load = function (request, parent, ...rest) {
    if (!late.has(request) || !parent?.filename?.includes(sdk)) return original.call(this, request, parent, ...rest);
    const real = () => original.call(this, request, parent, ...rest);
    return new Proxy(
      {},
      {
        get: (_, key) => (key === "__esModule" ? true : key === "default" ? (real().default ?? real()) : real()[key]),
      },
    );
  };
}
