#!/usr/bin/env node
// `npm run ops -- COMMAND` and `cloudcode-ops COMMAND`.
import load from "../bin/load.cjs";

(await load("ops/main.ts")).main();
