import { z } from "zod";
import { appKinds } from "../components/apps/registry";
import { alicloudSettings } from "../components/settings/sections/alicloud";
import { backupSettings } from "../components/settings/sections/backup";
import { certificateSettings } from "../components/settings/sections/certificates";
import { dockerSettings } from "../components/settings/sections/docker";
import { gatewaySettings } from "../components/settings/sections/gateway";
import { networkSettings } from "../components/settings/sections/network";
import { operationsSettings } from "../components/settings/sections/operations";
import { existingSettings, targetSettings } from "../components/settings/sections/target";
import type { Section, Setting } from "../components/settings/setting";

const { hostWaitSeconds, ...onExisting } = existingSettings;
const { icpFiled } = alicloudSettings;
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
  /** The operator's first password; a secret. A password that was changed in the portal is not here. */
  readonly adminPassword: pulumi.Output<string>;
  /** First passwords of people, by name; secrets. Only with people. */
  readonly peoplePasswords?: pulumi.Output<Record<string, string>>;
  /** Logins that Apps have of their own, by title; the passwords are secrets. */
  readonly appLogins: Readonly<Record<string, { readonly username: string; readonly password: pulumi.Output<string> }>>;
  /** Keys of OpenCode's own clients, by the client's name; secrets. Only with opencodeDevices. */
  readonly deviceKeys?: pulumi.Output<Record<string, string>>;
  /** A command that opens a shell on the machine; run it in the project's folder. */
  readonly sshCommand: pulumi.Output<string>;
  /** The SSH key that sshCommand logs in with; a secret. */
  readonly sshPrivateKey: pulumi.Output<string>;
  /** Steps for the operator after the first \`pulumi up\`, in order. */
  readonly nextSteps: pulumi.Output<string[]>;
  /** Password that encrypts the backups; a secret. Only with backups. */
  readonly backupPassword?: pulumi.Output<string>;
  /** Data for \`npm run ops\`; a secret. */
  readonly operations: pulumi.Output<unknown>;
  /** Price of a month as Alibaba Cloud tells it to the account; target alicloud alone. */
  readonly monthlyCost?: pulumi.Output<{
    /** That the account is billed in, such as USD. */
    readonly currency: string;
    readonly running: number;
    readonly stopped: number;
    /** Parts that cost money but have no known price. */
    readonly notCounted: readonly string[];
  }>;
}

/**
 * A machine and the Apps on it, behind one sign-in. A stack can have only one.
 *
 * Options: all resources on Alibaba Cloud use your \`alicloud.Provider\` if you pass it as \`provider\`. The lookups of stock, images and
 * leftover resources use the keys from the environment, as that provider does by default.
 */
export declare class Home extends pulumi.ComponentResource {
  /** @throws Error that lists every problem of the arguments, before any resource is declared */
  constructor(name: string, args: HomeArgs, opts?: pulumi.ComponentResourceOptions);
  /** All outputs, for a program to return. Rejected with one sentence if a cloud does not answer, or lacks something that is set. */
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
/** An existing machine. */
export interface ExistingTarget {
  readonly kind: "existing";
${members({ ...onExisting, hostWaitSeconds, icpFiled })}}

/** Network, machine, disk and address are created on Alibaba Cloud. */
export interface AlicloudTarget {
  readonly kind: "alicloud";
${members({ ...alicloudSettings, hostWaitSeconds })}}

/** The Apps; an App that is listed is on. */
export interface Apps {
${apps.join("")}}

/** Arguments of a Home: the settings of docs/settings.md. Those of the target and of each App are nested. */
export interface HomeArgs {
  /** Where the machine comes from. */
  readonly target: ExistingTarget | AlicloudTarget;
  /** Default: OpenCode. */
  readonly apps?: Apps | undefined;
${members({ ...ofStack, ...gatewaySettings, ...certificateSettings, ...networkSettings, ...dockerSettings, ...backupSettings, ...operationsSettings })}}
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
  if (type === "array") {
    if (example.includes("{")) return "readonly Readonly<Record<string, unknown>>[]";
    return /^'\[\d/.test(example) ? "readonly number[]" : "readonly string[]";
  }
  if (type === "object") return texts.safeParse(rest.default).success ? "Readonly<Record<string, string>>" : "object";
  return type === "integer" ? "number" : type;
}

const texts = z.record(z.string(), z.string());

const uncapitalized = (word: string) => word.charAt(0).toLowerCase() + word.slice(1);
