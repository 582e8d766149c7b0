import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

// Every `pulumi up` starts three of these; what V8 compiled the first time halves the start of the others.
const program = __filename.replace(/\.cjs$/, ".js");
const cache = `${program}.cache`;

function compiled(): Buffer | undefined {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
}

function save(script: Script): void {
  const temporary = `${cache}.${process.pid}`;
  try {
    writeFileSync(temporary, script.createCachedData());
    renameSync(temporary, cache);
  } catch {
    // A folder that cannot be written to costs only time.
  }
}

const cachedData = compiled();
const script = new Script(`(function (require, __dirname, __filename) {${readFileSync(program, "utf8")}\n})`, {
  filename: program,
  ...(cachedData ? { cachedData } : {}),
});
if (script.cachedDataRejected !== false) {
  // The engine ends its plugins this way, after all that an ordinary run needs has been compiled.
  process.once("SIGINT", () => {
    save(script);
    process.exit(0);
  });
}
const start: unknown = script.runInThisContext();
if (typeof start === "function") Reflect.apply(start, undefined, [createRequire(program), dirname(program), program]);
