import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../sandbox/folder";
import { type Policy, policySchema } from "@cloudcode/alicloud-emulator/policy";

/** docs/ram-policy.json as the README asks for it: with the account's zone instead of example.com. */
export function ramPolicy(zone: string): Policy {
  return readPolicy("ram-policy.json", (text) => text.replace("domain/example.com", `domain/${zone}`));
}

/** What is added for `backupRepository oss`. */
export function ramPolicyForBackups(): Policy {
  return readPolicy("ram-policy-oss.json", (text) => text);
}

/** What is added for the bill and the balance. */
export function ramPolicyForBills(): Policy {
  return readPolicy("ram-policy-billing.json", (text) => text);
}

/** What the README gives to CI: the first statement. */
export function ramPolicyForPreviews(): Policy {
  const { Version, Statement } = readPolicy("ram-policy.json", (text) => text);
  return { Version, Statement: Statement.slice(0, 1) };
}

function readPolicy(file: string, fill: (text: string) => string): Policy {
  return policySchema.parse(JSON.parse(fill(readFileSync(join(projectRoot, "docs", file), "utf8"))));
}
