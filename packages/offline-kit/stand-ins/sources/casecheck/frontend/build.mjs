// Stand-in for CaseCheck's pages: like the original's, they hold the API's address, given while they are built.
import process from "node:process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const api = process.env.VITE_API_URL ?? "";
if (!/^https:\/\/[^/]+$/.test(api)) throw new Error("stand-in for CaseCheck: VITE_API_URL is no https:// origin");
mkdirSync("dist/assets", { recursive: true });
copyFileSync("index.html", "dist/index.html");
writeFileSync("dist/assets/index.js", readFileSync("index.js", "utf8").replaceAll('"API', `"${api}`));
