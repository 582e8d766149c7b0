// Pulumi's SDK takes a stack trace for each promise, and Jest looks each of its lines up in source maps: a fifth of the time of a test
// that runs the program. Here promises are followed without.
const actual = require("@pulumi/pulumi/runtime/debuggable.js");

module.exports = {
  ...actual,
  debuggablePromise(promise, context) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return actual.debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = limit;
    }
  },
};
