import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostKey, minimal, minimalAlicloud } from "./minimal";
import { donation, tgSigner } from "./least-apps";

/** A stack of the last release without a Home. */
export interface FormerStack {
  readonly name: "existing" | "alicloud" | "stopped";
  readonly kind: "existing" | "alicloud";
  readonly settings: Readonly<Record<string, string>>;
}

const apps = {
  ...tgSigner,
  ...donation,
  tgSignerOuterLogin: "basic",
  tgSignerBasicUsername: "jo",
  domain: "home.example.com",
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelHost: "cases.example.org",
  casecheckCloudflareApiToken: "x".repeat(40),
  casecheckCloudflareAccountId: "0123456789abcdef0123456789abcdef",
  casecheckCloudflareZoneId: "0123456789abcdef0123456789abcdef",
  // Made later, and Cloudflare is asked for it.
  casecheckFirewall: "false",
  casecheckAccessEmails: '["jo@example.com"]',
  lwsandboxEnabled: "true",
};

/** All that both targets could make, and what a stack has while its machine is off. */
export const formerStacks: readonly FormerStack[] = [
  {
    name: "existing",
    kind: "existing",
    settings: { ...minimal, ...apps, lwsandboxWorkerHosts: JSON.stringify([`203.0.113.8 ${hostKey}`]) },
  },
  {
    name: "alicloud",
    kind: "alicloud",
    settings: {
      ...minimalAlicloud,
      ...apps,
      ipv6: "true",
      finalSnapshot: "true",
      deleteData: "true",
      backupRepository: "oss",
      lwsandboxWorkers: "2",
      instanceTypes: '["ecs.e-c1m2.xlarge"]',
      budgetUsd: "1000",
    },
  },
  {
    name: "stopped",
    kind: "alicloud",
    settings: {
      ...minimalAlicloud,
      ...donation,
      power: "stopped",
      domain: "home.example.com",
      opencodeEnabled: "false",
    },
  },
];

/** What that release registered with these settings: types, with those of the parents, and name. Taken from its own runs. */
export function formerUrns(name: FormerStack["name"]): string[] {
  return JSON.parse(readFileSync(join(__dirname, "..", "unit", "urns", `${name}.json`), "utf8")) as string[];
}
