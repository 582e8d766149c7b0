#!/usr/bin/env node
// Node runs the TypeScript of this package, and of the modules it is given, through tsx.
import "tsx";

await import("../src/main.ts");
