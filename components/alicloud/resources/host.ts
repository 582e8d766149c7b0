import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Connection, HostParts } from "../../host/host";
import { pointNames, sslipName } from "../../host/names";
import type { DomainCare } from "../../host/platform";
import type { CloudNetwork } from "../../host/network";
import { waitReachable } from "../../host/wait-reachable";
import type { AlicloudTarget } from "../../settings/targets";
import { budgetHook } from "./budget-hook";
import { BackupBucket } from "./backup-bucket";
import { DataDisk } from "./data-disk";
import { DnsRecords, type ZoneEntry } from "./dns";
import { hostKey } from "./host-key";
import { deletedWithInstance, instance } from "./machine";
import type { HostPlacement } from "./placement";
import { publicIpv6 } from "./public-ipv6";
import { onDelete } from "./script-command";
import { type Costs, monthlyCost } from "../prices/cost";
import { releaseDisk } from "./release-disk";
import { publicAddress } from "./public-address";
import { AlicloudWorker } from "./worker";

/** What a host at Alibaba Cloud needs in addition to its target's settings. */
export interface CloudHostArgs extends Omit<AlicloudTarget, "network"> {
  /** Where and as what it is. */
  readonly placement: HostPlacement;
  /** What it costs. */
  readonly costs: Costs;
  /** What it is in. */
  readonly network: CloudNetwork;
  /** Where the domain's records go; undefined: the operator makes them. */
  readonly zone: ZoneEntry | undefined;
  /** What of the domain is not the operator's to do. */
  readonly care: DomainCare;
  /** Whether the data disk and the bucket of backups may be deleted. */
  readonly deleteData: boolean;
  /** Deleted last, so that it sees what else is left. */
  readonly leftovers: pulumi.Resource;
  /** Options of each resource of the cloud: error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** A host on ECS: machine, public address and data disk, each replaceable without the others. */
export function cloudHost(name: string, args: CloudHostArgs, parent: pulumi.Resource): HostParts {
  const { region, resourceGroupId, machine, deleteData, network, placement, leftovers, resourceOptions } = args;
  const [user, port] = ["root", 22];
  const child = { parent };
  const common = { resourceGroupId, resourceOptions };

  const loginKey = new tls.PrivateKey(`${name}-login-key`, { algorithm: "ED25519" }, child);
  const key = hostKey(`${name}-host-key`, child);
  const data = new DataDisk(`${name}-data`, { ...args.dataDisk, region, placement, deleteData, ...common }, child);
  const bucket = args.backupBucket
    ? new BackupBucket(`${name}-backups`, { region, resourceGroupId, deleteData, resourceOptions }, child)
    : undefined;
  const inBudget = budgetHook(args.costs);
  const ecs = instance(name, {
    ...machine,
    placement,
    network,
    ipv6: args.network.ipv6GatewayId !== undefined,
    publicKey: loginKey.publicKeyOpenssh.apply((key) => key.trim()),
    userData: key.userData,
    ...common,
    resourceOptions: {
      ...resourceOptions,
      ...child,
      hooks: { ...resourceOptions.hooks, beforeCreate: [inBudget], beforeUpdate: [inBudget] },
    },
  });
  const goes = { region, instanceId: ecs.id };
  onDelete(`${name}-unprotection`, "unprotect", goes, { ...child, replaceOnChanges: ["stdin"] });
  const asleep = machine.power === "stopped";
  const generation = pulumi.interpolate`${ecs.id} ${ecs.instanceType}`;

  const withInstance = { ...deletedWithInstance(ecs, resourceOptions), ...child };
  const attachment = new alicloud.ecs.EcsDiskAttachment(
    `${name}-data-attachment`,
    { diskId: data.diskId, instanceId: ecs.id },
    {
      ...withInstance,
      dependsOn: [leftovers, ...data.beforeDetach],
      // A disk is attached within seconds. Where the machine was taken back meanwhile the provider waits to the end, by itself for 10 minutes.
      customTimeouts: { create: "3m" },
    },
  );
  const { ipAddress, association } = publicAddress(`${name}-address`, {
    region,
    machine,
    resourceGroupId,
    ecs,
    attachment,
    withInstance,
    resourceOptions,
    parent,
  });
  const ipv6 =
    network.ipv6GatewayId &&
    publicIpv6(`${name}-ipv6`, network.ipv6GatewayId, ecs, machine.bandwidthMbps, withInstance);
  const addresses = { A: ipAddress, ...(ipv6 && { AAAA: ipv6 }) };
  const records = args.zone
    ? [new DnsRecords(`${name}-dns`, { entry: args.zone, addresses, resourceOptions }, child)]
    : [];

  const privateKey = loginKey.privateKeyOpenssh;
  const connection: Connection = pulumi.secret({ host: ipAddress, port, user, privateKey, hostKey: key.pinned });
  releaseDisk(`${name}-data-release`, connection, ecs.id, [attachment.id, association.id], child);
  const reachable = asleep
    ? undefined
    : waitReachable(`${name}-reachable`, { connection, generation }, args.waitSeconds, {
        ...child,
        // With its names in place, Caddy's first request for a certificate succeeds: failed ones count towards the
        // authority's limits (caddyserver/caddy#383).
        dependsOn: [attachment, association, ...records],
      });
  const workers = Array.from(
    { length: args.workers.count },
    (_, index) =>
      new AlicloudWorker(
        `worker-${index + 1}`,
        {
          machine,
          network,
          placement,
          instanceType: args.workers.instanceType,
          resourceGroupId,
          keyName: ecs.keyName,
          loginKey: privateKey,
          waitSeconds: args.waitSeconds,
          resourceOptions,
        },
        child,
      ),
  );
  return {
    connection,
    user,
    port,
    hostKey: key.pinned,
    reachable,
    machine: ecs,
    generation,
    workers,
    clusterAddress: ecs.primaryIpAddress,
    publicAddress: ipAddress,
    ...(ipv6 && { publicIpv6: ipv6 }),
    dataDisk: data.facts,
    ...(bucket && { backupStore: bucket.store }),
    spot: machine.charge === "spot",
    monthlyCost: pulumi
      .all([placement.instanceType, placement.diskCategory])
      .apply(async ([type, category]) => monthlyCost(await args.costs.of(type, category))),
    manualSteps: (domain, address) =>
      manualSteps(domain, address, args.care.records || args.zone !== undefined, asleep),
  };
}

function manualSteps(domain: string, address: string, recordsAreOurs: boolean, asleep: boolean): string[] {
  const sentence = pointNames(domain, address);
  const wait = domain === sslipName(address) ? [] : [`npm run dns -- ${domain} ${address} waits until they do.`];
  return [
    ...(asleep
      ? ["The machine is stopped: pulumi config set power running && pulumi up starts everything again."]
      : []),
    ...(recordsAreOurs ? [] : [sentence, ...wait]),
  ];
}
