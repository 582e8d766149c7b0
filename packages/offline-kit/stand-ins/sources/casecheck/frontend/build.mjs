// Stand-in for CaseCheck's pages: like the original's, they hold the API's address, given while they are built.
import process from "node:process";
import { mkdirSync, writeFileSync } from "node:fs";

const api = process.env.VITE_API_URL ?? "";
if (!/^https:\/\/[^/]+$/.test(api)) throw new Error("stand-in for CaseCheck: VITE_API_URL is no https:// origin");
mkdirSync("dist/assets", { recursive: true });
writeFileSync(
  "dist/index.html",
  '<!doctype html><title>Enterprise Case Management</title><p id="api"></p><script type="module" src="/assets/index.js"></script>\n',
);
writeFileSync(
  "dist/assets/index.js",
  `const answer = await fetch(${JSON.stringify(`${api}/health`)});\ndocument.getElementById("api").textContent = (await answer.json()).status;\n`,
);
