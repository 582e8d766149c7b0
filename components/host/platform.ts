import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/settings";
import { existingPlatform } from "./existing";
import type { HostParts } from "./host";
import type { Network, NetworkParts } from "./network";

/** How one kind of target makes the parts of a Network and of a Host. */
export interface Platform {
  /** Options of both: their parent, and the provider of what is below them. */
  readonly options: pulumi.ComponentResourceOptions;
  /** @param parent of the resources */
  readonly network: (name: string, parent: pulumi.Resource) => NetworkParts;
  /**
   * @param parent of the resources
   * @param network made by this platform
   */
  readonly host: (name: string, parent: pulumi.Resource, network: Network) => HostParts;
}

/** What of the domain is not the operator's to do. */
export interface DomainCare {
  /** Whether its records are kept by the host, or made by the program. */
  readonly records: boolean;
  /** Whether its certificates are issued without a connection to the host. */
  readonly certificates: boolean;
}

/** @returns what the settings say of it; records that a target makes are not among them */
export function careOf({
  freeName,
  records,
  certificates,
}: Pick<Settings, "freeName" | "records" | "certificates">): DomainCare {
  return {
    records: freeName !== undefined || records !== undefined,
    certificates: certificates.dns !== undefined,
  };
}

/**
 * The platform of the stack's target, after what must be asked of it before any resource is declared.
 *
 * @param parent of the Network, of the Host, and of what the target needs before them
 * @throws OperatorError with one sentence when a cloud does not answer or lacks what is set
 */
export async function openPlatform(
  { target, ...settings }: Settings,
  parent: pulumi.ComponentResource,
): Promise<Platform> {
  if (target.kind === "existing") return existingPlatform(target, careOf(settings), parent);
  // Loaded only when needed: the SDK of the cloud takes 50 ms that an existing host need not pay at every run.
  const { alicloudPlatform } = await import("../alicloud/platform");
  return alicloudPlatform(target, { ...settings, care: careOf(settings) }, parent);
}
