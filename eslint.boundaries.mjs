import { literalSpreads } from "./eslint.spreads.mjs";

const product = ["components", "ops", "scripts", "sandbox", "stack-templates", "test"];

/**
 * Arrows go one way: the product knows neither its tests nor the sandbox nor the packages beside it, and what its command lines
 * share is in cli/. Each place with what it may not import. (The donation site is files to the product, not a library.)
 */
const program = ["cli", "ops", "scripts", "sandbox", "test", "packages"];
const closed = {
  "index.ts": program,
  "library.*": program,
  "program.cjs": program,
  bin: program,
  components: program,
  cli: [...product, "packages"],
  ops: ["scripts", "sandbox", "test", "packages"],
  scripts: ["ops", "sandbox", "test", "packages"],
  "stack-templates": [...product.filter((room) => room !== "stack-templates"), "cli", "packages"],
  sandbox: ["ops"],
  "packages/alicloud-emulator/src": [...product, "cli"],
  "packages/alicloud-emulator/testing": [...product, "cli"],
  "packages/donation-site": [...product, "cli"],
  "packages/policy-pack": ["ops", "sandbox", "test"],
  "packages/offline-kit": ["ops", "scripts", "sandbox", "test"],
};

export const boundaries = Object.entries(closed).map(([place, rooms]) =>
  rule(place.includes(".") ? place : `${place}/**/*.{ts,mjs,cjs,js}`, rooms, place),
);

function rule(files, closed, place) {
  const rooms = `(${closed.join("|")})`;
  // A package goes by its name, too, and a file that is loaded by its path from the project.
  const named = closed.includes("packages") ? "@cloudcode/|" : "";
  const path = `^(${named}(\\.\\.?/)+${rooms}(/|$)|${rooms}/\\S*\\.[cm]?[jt]s$)`.replaceAll("/", "\\/");
  const message = `${place} must not import this: see eslint.boundaries.mjs.`;
  return {
    files: [files],
    // Tests may know everything, wherever they stand.
    ignores: ["**/*.test.ts"],
    rules: {
      // Every text that is such a path: an import of any kind, also of types and while the program runs, or a file that is run or read.
      "no-restricted-syntax": [
        "error",
        ...literalSpreads,
        { selector: `Literal[value=/${path}/]`, message },
        { selector: `TemplateElement[value.raw=/${path}/]`, message },
      ],
    },
  };
}
