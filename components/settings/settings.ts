import * as pulumi from "@pulumi/pulumi";
import { type Images, resolveImages } from "../images";
import type { Values } from "./table";

/** The whole configuration of a stack, checked. Secrets are Pulumi secrets from here on. */
export interface Settings {
  readonly target: ExistingTarget;
  /** Domain the Apps are served below. */
  readonly domain: string;
  readonly operator: OperatorSettings;
  /** Mail server; without one, one-time codes go to a file on the host. */
  readonly mail: MailSettings | undefined;
  readonly certificates: CertificateSettings;
  readonly docker: DockerSettings;
  readonly images: Images;
  readonly timeZone: string;
  /** Whether removing an App also deletes its volumes. */
  readonly deleteData: boolean;
  readonly opencode: OpenCodeSettings;
}

export interface ExistingTarget {
  readonly kind: "existing";
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: pulumi.Output<string>;
  readonly hostKey: string;
  readonly waitSeconds: number;
  /** Networks that may reach SSH; empty: the host's own firewall decides. */
  readonly sshCidrs: readonly string[];
}

export interface OperatorSettings {
  readonly username: string;
  /** Undefined: generated. */
  readonly password: pulumi.Output<string> | undefined;
  readonly email: string;
}

export interface MailSettings {
  readonly address: string;
  readonly username: string | undefined;
  readonly password: pulumi.Output<string> | undefined;
  readonly sender: string;
}

export interface CertificateSettings {
  readonly email: string | undefined;
  readonly directories: readonly string[];
  readonly trustedRoot: string | undefined;
  readonly fallbackMinutes: number;
}

export interface DockerSettings {
  readonly packages: string;
  readonly aptRepository: string;
  readonly registryMirrors: readonly string[];
  readonly dns: readonly string[];
  readonly addressPool: string;
  readonly swapMiB: number;
  readonly ntpServer: string | undefined;
}

export interface OpenCodeSettings {
  readonly enabled: boolean;
  readonly subdomain: string;
  readonly terminal: boolean;
  readonly memoryMiB: number;
  readonly anthropicApiKey: pulumi.Output<string> | undefined;
  readonly openaiApiKey: pulumi.Output<string> | undefined;
  readonly openaiBaseUrl: string | undefined;
}

/** Gives checked values their shape. Presence is settled by the rules; `present` only tells the compiler. */
export function toSettings(values: Values): Settings {
  const address = present(values.hostAddress);
  const domain = values.domain ?? `${address.replaceAll(".", "-")}.sslip.io`;
  const username = present(values.adminUsername);
  const email = values.adminEmail ?? `${username}@${domain}`;
  return deepFreeze({
    target: {
      kind: "existing",
      address,
      port: present(values.hostPort),
      user: present(values.hostUser),
      privateKey: pulumi.secret(present(values.hostPrivateKey)),
      hostKey: present(values.hostKey),
      waitSeconds: present(values.hostWaitSeconds),
      sshCidrs: present(values.sshCidrs),
    },
    domain,
    operator: { username, password: optionalSecret(values.adminPassword), email },
    mail:
      values.smtpAddress === undefined
        ? undefined
        : {
            address: values.smtpAddress,
            username: values.smtpUsername,
            password: optionalSecret(values.smtpPassword),
            sender: values.smtpSender ?? email,
          },
    certificates: {
      email: values.acmeEmail,
      directories: present(values.acmeDirectories),
      trustedRoot: values.acmeTrustedRoot,
      fallbackMinutes: present(values.fallbackCertificateMinutes),
    },
    docker: {
      packages: present(values.dockerPackages),
      aptRepository: present(values.dockerAptRepository).replace(/\/+$/, ""),
      registryMirrors: present(values.registryMirrors),
      dns: present(values.dockerDns),
      addressPool: present(values.dockerAddressPool),
      swapMiB: present(values.swapMiB),
      ntpServer: values.ntpServer,
    },
    images: resolveImages(present(values.images), values.imageRegistry),
    timeZone: present(values.timeZone),
    deleteData: present(values.deleteData),
    opencode: {
      enabled: present(values.opencodeEnabled),
      subdomain: present(values.opencodeSubdomain),
      terminal: present(values.opencodeTerminal),
      memoryMiB: present(values.opencodeMemoryMiB),
      anthropicApiKey: optionalSecret(values.opencodeAnthropicApiKey),
      openaiApiKey: optionalSecret(values.opencodeOpenaiApiKey),
      openaiBaseUrl: values.opencodeOpenaiBaseUrl,
    },
  });
}

function optionalSecret(value: string | undefined): pulumi.Output<string> | undefined {
  return value === undefined ? undefined : pulumi.secret(value);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a setting without default passed its checks without a value");
  return value;
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value) as unknown[]) {
    if (typeof child === "object" && child !== null && !pulumi.Output.isInstance(child)) deepFreeze(child);
  }
  return Object.freeze(value);
}
