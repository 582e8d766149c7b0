import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { boundaries } from "./eslint.boundaries.mjs";
import { literalSpreads } from "./eslint.spreads.mjs";

export default tseslint.config(
  { ignores: ["node_modules", ".sandbox", "coverage"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...literalSpreads],
    },
  },
  ...boundaries,
  { files: ["**/*.{js,mjs,cjs}"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { __dirname: false, __filename: false, Buffer: false, console: false, process: false },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
