import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { BackupStore, Connection, DataDiskFacts, Host, MonthlyCost, Worker } from "../host/host";
import { pointNames, sslipName } from "../host/names";
import type { Network } from "../host/network";
import { waitReachable } from "../host/wait-reachable";
import type { AlicloudTarget } from "../settings/targets";
import { BackupBucket } from "./backup-bucket";
import { DataDisk } from "./data-disk";
import { DnsRecords, type ZoneEntry } from "./dns";
import { faultHook } from "./fault-hook";
import { hostKey } from "./host-key";
import { goesWith, instance } from "./machine";
import { AlicloudNetwork } from "./network";
import { placed } from "./placed";
import { publicIpv6 } from "./public-ipv6";
import { onDelete } from "./script-command";
import { costFactors, hostEstimate, monthlyCost } from "./cost";
import { releaseDisk } from "./release-disk";
import { publicAddress } from "./public-address";
import { stackTags } from "./tags";
import { AlicloudWorker } from "./worker";

export interface AlicloudHostArgs extends AlicloudTarget {
  /** Where the domain's records go; undefined: the operator makes them. */
  readonly zone: ZoneEntry | undefined;
  /** Whether the host itself keeps the domain's records. */
  readonly keepsName: boolean;
  /** Zone of the existing vSwitch; undefined: the stack makes its own. */
  readonly vswitchZone: string | undefined;
  /** Whether the data disk and the bucket of backups may be deleted. */
  readonly deleteData: boolean;
}

/** Host on ECS: machine, public address and data disk, each replaceable without the others. */
export class AlicloudHost extends pulumi.ComponentResource implements Host {
  readonly connection: Connection;
  readonly network: Network;
  readonly publicAddress: pulumi.Output<string>;
  readonly publicIpv6?: pulumi.Output<string>;
  readonly clusterAddress: pulumi.Output<string>;
  readonly workers: readonly Worker[];
  readonly user = "root";
  readonly port = 22;
  readonly hostKey: pulumi.Output<string>;
  readonly reachable: pulumi.Resource | undefined;
  readonly machine: pulumi.Resource;
  readonly generation: pulumi.Output<string>;
  readonly dataDisk: pulumi.Output<DataDiskFacts>;
  readonly backupStore?: BackupStore;
  readonly before: Host["before"];
  readonly monthlyCost: pulumi.Output<MonthlyCost>;

  constructor(name: string, args: AlicloudHostArgs, opts: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:AlicloudHost", name, {}, opts);
    const { region, resourceGroupId, machine, deleteData } = args;
    const child = { parent: this };
    // Deleted last, so that it sees what else is left.
    const leftovers = onDelete(`${name}-leftovers`, "leftovers", { region, tags: stackTags() }, child);
    const each = { hooks: { onError: [faultHook()] }, dependsOn: [leftovers] };
    const common = { resourceGroupId, each };

    const loginKey = new tls.PrivateKey(`${name}-login-key`, { algorithm: "ED25519" }, child);
    const key = hostKey(`${name}-host-key`, child);
    const place = placed(name, args, args.vswitchZone, child);
    this.monthlyCost = pulumi
      .all([place.instanceType, place.diskCategory])
      .apply(([type, category]) => monthlyCost(hostEstimate(costFactors(args, type, category))));

    const network = new AlicloudNetwork(`${name}-network`, { ...args.network, zoneId: place.zoneId, ...common }, child);
    this.network = network;
    const data = new DataDisk(
      `${name}-data`,
      { ...args.dataDisk, region, placed: place, deleteData, ...common },
      child,
    );
    this.dataDisk = data.facts;
    if (args.backupBucket)
      this.backupStore = new BackupBucket(
        `${name}-backups`,
        { region, resourceGroupId, deleteData, each },
        child,
      ).store;
    const ecs = instance(name, {
      ...machine,
      placed: place,
      network,
      ipv6: args.network.ipv6,
      publicKey: loginKey.publicKeyOpenssh.apply((key) => key.trim()),
      userData: key.userData,
      ...common,
      each: { ...each, ...child },
    });
    this.machine = ecs;
    this.clusterAddress = ecs.primaryIpAddress;
    const goes = { region, instanceId: ecs.id };
    onDelete(`${name}-unprotection`, "unprotect", goes, { ...child, replaceOnChanges: ["stdin"] });
    const asleep = machine.power === "stopped";
    this.generation = pulumi.interpolate`${ecs.id} ${ecs.instanceType}`;

    const withMachine = { ...goesWith(ecs, each), ...child };
    const attachment = new alicloud.ecs.EcsDiskAttachment(
      `${name}-data-attachment`,
      { diskId: data.diskId, instanceId: ecs.id },
      { ...withMachine, dependsOn: [leftovers, ...data.beforeDetach] },
    );
    const { ipAddress, association } = publicAddress(`${name}-address`, {
      ...{ region, machine, resourceGroupId, ecs, attachment, withMachine, each, parent: this },
    });
    this.publicAddress = ipAddress;
    const ipv6 =
      network.ipv6GatewayId &&
      publicIpv6(`${name}-ipv6`, network.ipv6GatewayId, ecs, machine.bandwidthMbps, withMachine);
    if (ipv6) this.publicIpv6 = ipv6;
    const addresses = { A: ipAddress, ...(ipv6 && { AAAA: ipv6 }) };
    const records = args.zone ? [new DnsRecords(`${name}-dns`, { entry: args.zone, addresses, each }, child)] : [];

    this.hostKey = key.pinned;
    this.connection = pulumi.secret({
      host: ipAddress,
      port: this.port,
      user: this.user,
      privateKey: loginKey.privateKeyOpenssh,
      hostKey: this.hostKey,
    });
    releaseDisk(`${name}-data-release`, this.connection, [attachment.id, association.id], child);
    this.reachable = asleep
      ? undefined
      : waitReachable(`${name}-reachable`, this, args.waitSeconds, {
          ...child,
          // With its names in place, Caddy's first request for a certificate succeeds: failed ones count towards the
          // authority's limits (caddyserver/caddy#383).
          dependsOn: [attachment, association, ...records],
        });
    this.workers = Array.from(
      { length: args.workers.count },
      (_, index) =>
        new AlicloudWorker(
          `worker-${index + 1}`,
          {
            ...{ machine, network, placed: place, instanceType: args.workers.instanceType, resourceGroupId },
            ...{ keyName: ecs.keyName, loginKey: loginKey.privateKeyOpenssh, waitSeconds: args.waitSeconds, each },
          },
          child,
        ),
    );
    this.before = (domain, address) => beforeSignIn(domain, address, args.keepsName || args.zone !== undefined, asleep);
    this.registerOutputs({ publicAddress: this.publicAddress });
  }
}

function beforeSignIn(domain: string, address: string, recordsAreOurs: boolean, asleep: boolean): string[] {
  const sentence = pointNames(domain, address);
  const wait = domain === sslipName(address) ? [] : [`npm run dns -- ${domain} ${address} waits until they do.`];
  return [
    ...(asleep ? ["The machine is stopped: pulumi config set power running && pulumi up brings everything back."] : []),
    ...(recordsAreOurs ? [] : [sentence, ...wait]),
  ];
}
