import { z } from "zod";
import { appKinds } from "../components/apps/registry";
import { alicloudSettings } from "../components/settings/sections/alicloud";
import { backupSettings } from "../components/settings/sections/backup";
import { certificateSettings } from "../components/settings/sections/certificates";
import { dockerSettings } from "../components/settings/sections/docker";
import { gatewaySettings } from "../components/settings/sections/gateway";
import { operationsSettings } from "../components/settings/sections/operations";
import { existingSettings, targetSettings } from "../components/settings/sections/target";
import type { Section, Setting } from "../components/settings/setting";

const { hostWaitSeconds, ...onExisting } = existingSettings;
/** Its arguments say which kind of target it is. */
const ofStack = Object.fromEntries(Object.entries<Setting>(targetSettings).filter(([key]) => key !== "target"));

/** What the target existing cannot do without; its other arguments have a default. */
const needed: ReadonlySet<string> = new Set(["hostAddress", "hostPrivateKey", "hostKey"]);

const header = `// Written by \`npm run settings\` from the settings table (components/settings/table.ts): edit that, or scripts/library-types.ts.
import * as pulumi from "@pulumi/pulumi";
`;

const rest = `
/** The outputs of a Home. A program returns all of it, so that \`npm run ops\` can work with the stack. */
export interface HomeOutputs {
  /** Address of the index page. */
  readonly url: pulumi.Output<string>;
  /** Address of each App, by its title. */
  readonly urls: pulumi.Output<Record<string, string>>;
  /** IPv4 address, or name, that the domain points to. */
  readonly publicAddress: pulumi.Output<string>;
  /** Name that the operator signs in with. */
  readonly adminUsername: string;
  /** The operator's first password; a secret. A change in the portal is not seen here. */
  readonly adminPassword: pulumi.Output<string>;
  /** Logins that Apps have of their own, by title; the passwords are secrets. */
  readonly appLogins: Readonly<Record<string, { readonly username: string; readonly password: pulumi.Output<string> }>>;
  /** Keys of OpenCode's own clients, by the client's name; secrets. Without opencodeDevices it is not there. */
  readonly deviceKeys?: pulumi.Output<Record<string, string>>;
  /** A command for a shell in the project's folder, which opens a shell on the machine. */
  readonly sshCommand: pulumi.Output<string>;
  /** The key that it logs in with; a secret. */
  readonly sshPrivateKey: pulumi.Output<string>;
  /** What the operator does after the first \`pulumi up\`, in order. */
  readonly nextSteps: pulumi.Output<string[]>;
  /** What backups are encrypted with; a secret. Without backups it is not there. */
  readonly backupPassword?: pulumi.Output<string>;
  /** What \`npm run ops\` reads; a secret. */
  readonly operations: pulumi.Output<unknown>;
  /** Price of a month in USD by published prices; target alicloud alone. */
  readonly monthlyCostUsd?: pulumi.Output<{
    readonly running: number;
    readonly stopped: number;
    /** What costs money but has no known price. */
    readonly notCounted: readonly string[];
  }>;
}

/**
 * A machine and the Apps on it, behind one login. A stack has one.
 *
 * Options: \`provider\` takes an \`alicloud.Provider\` of yours for all resources at Alibaba Cloud. The look-ups for stock, images and
 * what is left read the keys of the environment, as that provider does by default.
 */
export declare class Home extends pulumi.ComponentResource {
  /** @throws Error that lists every problem of the arguments, before any resource is declared */
  constructor(name: string, args: HomeArgs, opts?: pulumi.ComponentResourceOptions);
  /** All outputs, for a program to return. Rejected with one sentence when a cloud does not answer or lacks what is set. */
  readonly outputs: Promise<HomeOutputs>;
  readonly url: HomeOutputs["url"];
  readonly urls: HomeOutputs["urls"];
  readonly publicAddress: HomeOutputs["publicAddress"];
  readonly adminPassword: HomeOutputs["adminPassword"];
  readonly sshCommand: HomeOutputs["sshCommand"];
  readonly nextSteps: HomeOutputs["nextSteps"];
}
`;

/** library.d.ts: the types of the package, with what the settings table says of each argument. */
export function libraryTypes(): string {
  const apps = appKinds.map(({ name, enabled, settings }) => {
    const prefix = enabled.replace(/Enabled$/, "");
    const own = Object.entries<Setting>(settings).flatMap(([key, setting]) =>
      key === enabled ? [] : [argument(uncapitalized(key.slice(prefix.length)), setting)],
    );
    const inner = own.join("").replaceAll(/^/gm, "  ").trimEnd();
    return `  /** See docs/apps/${name}.md. */\n  readonly ${prefix}?:\n    | {\n  ${inner.trimStart()}\n      }\n    | undefined;\n`;
  });
  return `${header}
/** The machine, where there is one already. */
export interface ExistingTarget {
  readonly kind: "existing";
${members({ ...onExisting, hostWaitSeconds })}}

/** Network, machine, disk and address are made at Alibaba Cloud. */
export interface AlicloudTarget {
  readonly kind: "alicloud";
${members({ ...alicloudSettings, hostWaitSeconds })}}

/** The Apps: those that are there are on. */
export interface Apps {
${apps.join("")}}

/** What a Home is made of: the settings of docs/settings.md. Those of the target and of each App stand below them. */
export interface HomeArgs {
  /** Where the machine comes from. */
  readonly target: ExistingTarget | AlicloudTarget;
  /** Default: OpenCode. */
  readonly apps?: Apps | undefined;
${members({ ...ofStack, ...gatewaySettings, ...certificateSettings, ...dockerSettings, ...backupSettings, ...operationsSettings })}}
${rest}`;
}

function members(section: Section): string {
  return Object.entries(section)
    .map(([key, setting]) => argument(key, setting))
    .join("");
}

function argument(key: string, setting: Setting): string {
  const { description, default: standard } = setting;
  const words = standard === undefined ? description : `${description} Default: ${shown(standard)}.`;
  const optional = needed.has(key) ? "" : "?";
  return `  /** ${words.replaceAll("*/", "*\\/")} */\n  readonly ${key}${optional}: ${typeOf(setting)}${optional && " | undefined"};\n`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A list is one of texts, or of what its example shows; an object is one of texts, or has the fields that its description names. */
function typeOf({ type, secret, schema, example, ...rest }: Setting): string {
  if (secret) return "pulumi.Input<string>";
  if (schema instanceof z.ZodEnum) return schema.options.map((word) => JSON.stringify(word)).join(" | ");
  if (type === "array")
    return example.includes("{") ? "readonly Readonly<Record<string, unknown>>[]" : "readonly string[]";
  if (type === "object") return texts.safeParse(rest.default).success ? "Readonly<Record<string, string>>" : "object";
  return type === "integer" ? "number" : type;
}

const texts = z.record(z.string(), z.string());

const uncapitalized = (word: string) => word.charAt(0).toLowerCase() + word.slice(1);
