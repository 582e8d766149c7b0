import { literalSpreads } from "./eslint.spreads.mjs";

const product = ["components", "ops", "scripts", "sandbox", "stack-templates", "test"];

/**
 * Arrows go one way: the product knows neither its tests nor the sandbox nor the packages beside it, and what its command lines
 * share is in cli/. Each place with what it may not import. (The donation site is files to the product, not a library.)
 */
const closed = {
  "index.ts": ["cli", "ops", "scripts", "sandbox", "test", "packages"],
  components: ["cli", "ops", "scripts", "sandbox", "test", "packages"],
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
  rule(place.endsWith(".ts") ? [place] : [`${place}/**/*.{ts,mjs}`], rooms, place),
);

function rule(files, closed, place) {
  // A package goes by its name, too.
  const named = closed.includes("packages") ? "@cloudcode/|" : "";
  const path = `^(${named}(\\.\\.?/)+(${closed.join("|")})(/|$))`;
  const message = `${place} must not import this: see eslint.boundaries.mjs.`;
  return {
    files,
    // Tests may know everything, wherever they stand.
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: path, message }] }],
      // That rule does not see imports that are made while the program runs.
      "no-restricted-syntax": [
        "error",
        ...literalSpreads,
        { selector: `ImportExpression[source.value=/${path.replaceAll("/", "\\/")}/]`, message },
        {
          selector: `CallExpression[callee.name="require"][arguments.0.value=/${path.replaceAll("/", "\\/")}/]`,
          message,
        },
      ],
    },
  };
}
