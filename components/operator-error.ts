import * as pulumi from "@pulumi/pulumi";

/** An error that the operator can fix: its message is all that is shown. */
export class OperatorError extends pulumi.RunError {
  constructor(message: string) {
    super(message);
    // Pulumi colours a trace through Node, which takes 15 s and more over the paths of Pulumi's own source maps
    // (`/node_modules/@pulumi/resource.ts`): https://github.com/nodejs/node/blob/v20.20.2/lib/internal/util/inspect.js
    delete this.stack;
  }
}
