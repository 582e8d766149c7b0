/**
 * Arrows go one way: the product knows neither its tests nor the sandbox, and what its command lines share is in cli/. Each folder
 * with what it may not import.
 */
const rooms = {
  components: ["cli", "ops", "scripts", "sandbox", "test"],
  cli: ["components", "ops", "scripts", "sandbox", "test"],
  ops: ["scripts", "sandbox", "test"],
  scripts: ["ops", "sandbox", "test"],
  "stack-templates": ["cli", "components", "ops", "scripts", "sandbox", "test"],
  sandbox: ["ops"],
};

/** Also packages that stand beside the product. */
const outside = ["packages"];

export const boundaries = [
  ...Object.entries(rooms).map(([room, closed]) => rule([`${room}/**/*.{ts,mjs}`], closed, room)),
  rule(["index.ts"], ["cli", "ops", "scripts", "sandbox", "test"], "index.ts"),
];

function rule(files, closed, room) {
  const path = `^(\\.\\.?/)+(${[...closed, ...(room === "sandbox" ? [] : outside)].join("|")})(/|$)`;
  const message = `${room} must not import this: see eslint.boundaries.mjs.`;
  return {
    files,
    // Tests may know everything, wherever they stand.
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: path, message }] }],
      // That rule does not see imports that are made while the program runs.
      "no-restricted-syntax": [
        "error",
        { selector: `ImportExpression[source.value=/${path.replaceAll("/", "\\/")}/]`, message },
        {
          selector: `CallExpression[callee.name="require"][arguments.0.value=/${path.replaceAll("/", "\\/")}/]`,
          message,
        },
      ],
    },
  };
}
