// Pulumi's SDK takes a stack trace for each promise, and Jest looks each of its lines up in source maps. Nothing here asks which promises
// a run leaves behind, so none is followed.
module.exports = {
  ...require("@pulumi/pulumi/runtime/debuggable.js"),
  debuggablePromise: (promise) => promise,
};
