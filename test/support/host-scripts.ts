import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./project-root";

/** Paths of all shell scripts that hosts and containers run. */
export const hostScripts = readdirSync(join(projectRoot, "stack-templates"), { recursive: true, encoding: "utf8" })
  .map((path) => join(projectRoot, "stack-templates", path))
  .filter((path) =>
    /(\.sh|\/firewall|\/cloudcode-(host|check|backup|guest|alert|name|page|space|news|notify|spot))$/.test(path),
  );
