// Pulumi's SDK takes a stack trace for each promise, and Jest looks each of its lines up in source maps: a fifth of the time of a test
// that runs the program. Without those the traces of all other errors stay as they are.
const { runInThisContext } = require("node:vm");

// Jest sets its own there, after this file.
const outer = runInThisContext("Error");
Error.prepareStackTrace = (error, frames) =>
  frames[0]?.getFileName()?.endsWith("/@pulumi/pulumi/runtime/debuggable.js")
    ? String(error)
    : outer.prepareStackTrace(error, frames);
