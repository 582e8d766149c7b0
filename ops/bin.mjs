#!/usr/bin/env node
// `cloudcode-ops COMMAND`: the same as `npm run ops -- COMMAND`.
import { createRequire } from "node:module";
import { register } from "tsx/cjs/api";

register();
createRequire(import.meta.url)("./main.ts").main();
