import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { BackupSettings, DockerSettings, FreeNameSettings } from "../settings/settings";
import { unpackAndRun } from "../stack/payload";
import type { ReleaseSource } from "../stack/release";
import { releaseCommand } from "../stack/release-command";
import type { TemplateValues } from "../stack/template";
import { type AlertSettings, alertSecrets, alertValues } from "./alerts";
import { backupPassword, backupSecrets, backupValues, namedStore } from "./backup";
import { addressesOf, announced, nameSecrets, nameValues } from "./free-name";
import type { DataDiskFacts, Host } from "./host";
import type { NetworkParts } from "./network";
import { onRemoval } from "./reach-command";

export interface DockerEngineArgs extends DockerSettings {
  /** The machine. */
  readonly host: Host;
  /** Folder that holds a folder of templates for each stack; an absolute path. */
  readonly templatesRoot: string;
  /** Key of the digests that the preview shows. */
  readonly digestKey: pulumi.Input<string>;
  /** Who hears of what the daily self-check finds. */
  readonly alerts: AlertSettings;
  /** Whether news is left for the notifier. */
  readonly news: boolean;
  /** Whether stacks are installed and not started until their data is brought. */
  readonly standby: boolean;
  /** A free name whose records the host keeps at its provider; undefined: it keeps none. */
  readonly freeName: FreeNameSettings | undefined;
  /** What the records of that name get; undefined: the addresses of the host. */
  readonly domainAddress: string | undefined;
  /** Undefined: no backups. */
  readonly backup: BackupSettings | undefined;
  /** Image reference of restic. */
  readonly resticImage: string;
  /** Whether removing the stack also deletes its data, and with it the password of its backups. */
  readonly deleteData: boolean;
}

const install = unpackAndRun("install.sh", "");
const gone = "/opt/cloudcode/bin/gone.sh";

/**
 * Docker, swap, time, firewall and the `cloudcode-host` command on the Host. Convergent: on a ready host it changes nothing.
 * Removing it leaves all that in place, since other things on an existing machine may rely on it; what would run on by itself, and
 * its secrets, go.
 */
export class DockerEngine extends pulumi.ComponentResource {
  /** What backups are encrypted with; undefined without backups. */
  readonly backupPassword: pulumi.Output<string> | undefined;

  constructor(name: string, args: DockerEngineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:DockerEngine", name, {}, opts);
    const { backup, alerts, freeName, host, domainAddress: wanted } = args;
    this.backupPassword = backupPassword(backup, { parent: this, deleteData: args.deleteData });
    const store = args.host.backupStore ?? (backup && namedStore(backup));
    // Before the installation, so that the state knows what to end where that is cut off.
    const removalName = `${name}-removal`;
    const removal = new command.local.Command(
      removalName,
      onRemoval(removalName, this, host, `[ ! -e ${gone} ] || sh ${gone}`),
      {
        parent: this,
        dependsOn: host.reachable === undefined ? [] : [host.reachable],
        ...(host.machine === undefined ? {} : { deletedWith: host.machine }),
      },
    );
    const secrets = {
      ...backupSecrets(backup, store, this.backupPassword),
      ...alertSecrets(alerts),
      ...nameSecrets(freeName),
    };
    const addresses = pulumi.output(freeName && [host.publicAddress, host.publicIpv6 ?? ""]);
    const source = pulumi
      .all([host.dataDisk, store, addresses])
      .apply(([dataDisk, place, [address = "", ipv6 = ""] = []]): ReleaseSource => {
        const values = {
          ...hostValues(args, host, dataDisk),
          name: nameValues(freeName, wanted ? addressesOf(wanted) : announced(address, ipv6)),
          alerts: alertValues(alerts),
          backup: backupValues(backup, place, { image: args.resticImage, host: pulumi.getStack() }),
        };
        return { template: "host", values, plan: { networks: [] } };
      });
    // What the look at the machine warns of is for the operator to read.
    releaseCommand(
      `${name}-install`,
      { ...args, source, secrets, words: install, warns: true },
      { parent: this, dependsOn: [removal] },
    );
    this.registerOutputs({ backupPassword: this.backupPassword });
  }
}

/** What `stack-templates/host/` is rendered with. */
export function hostValues(
  docker: DockerSettings & Partial<Pick<DockerEngineArgs, "news" | "standby">>,
  {
    port,
    network,
    spot = false,
  }: Pick<Host, "port" | "spot"> & { readonly network: Pick<NetworkParts, "inbound" | "enforced"> },
  dataDisk: DataDiskFacts | undefined,
): TemplateValues {
  const ssh = network.inbound.find((rule) => rule.protocol === "tcp" && rule.port === port);
  return {
    packages: docker.packages,
    aptRepository: docker.aptRepository,
    aptMirror: docker.aptMirror?.address ?? "",
    aptSources: docker.aptMirror?.program ?? "",
    swapMiB: docker.swapMiB,
    ntpServer: docker.ntpServer ?? "",
    automaticUpdates: docker.automaticUpdates,
    rebootTime: docker.rebootTime ?? "",
    sshPort: port,
    sshCidrs: network.enforced ? "" : (ssh?.sources.join(" ") ?? ""),
    notify: docker.news === true ? "yes" : "",
    spot: spot ? "yes" : "",
    standby: docker.standby === true ? "yes" : "",
    dataDisk: dataDisk?.serial ?? "",
    dataDiskGiB: dataDisk?.gib ?? 0,
    daemon: daemonJson(docker),
    daemonText: JSON.stringify(daemonJson(docker)),
  };
}

/** /etc/docker/daemon.json (https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file). */
export function daemonJson(docker: DockerSettings): TemplateValues {
  // BuildKit speaks HTTPS to a mirror unless it is named here, whatever its address says.
  const plainHttp = docker.registryMirrors
    .filter((mirror) => mirror.startsWith("http://"))
    .map((mirror) => new URL(mirror).host);
  return {
    "log-driver": "local",
    "log-opts": { "max-size": "10m", "max-file": "3" },
    // Containers keep serving while Docker itself is upgraded or restarted.
    "live-restore": true,
    "default-address-pools": [{ base: docker.addressPool, size: 24 }],
    ...(docker.dns.length > 0 && { dns: docker.dns }),
    ...(docker.registryMirrors.length > 0 && { "registry-mirrors": docker.registryMirrors }),
    ...(plainHttp.length > 0 && { "insecure-registries": plainHttp }),
  };
}
