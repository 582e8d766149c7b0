/** What the host does with a Release in addition to `docker compose up`; see stack-templates/host/cloudcode-host. */
export interface ReleasePlan {
  /** Edge networks that must exist before the stack starts. */
  readonly networks: readonly string[];
  /** Service whose container joins and leaves the `networks` while it runs, instead of being created on them. */
  readonly joins?: string;
  /** Names that lead to that container on one of the `networks`. @default none */
  readonly aliases?: readonly { readonly network: string; readonly name: string }[];
  /** A validator run in a throw-away container before anything running is touched; `{release}` is the release folder. */
  readonly check?: { readonly service: string; readonly command: string };
  /** Run in the living container instead of a restart; `{release}` is the release folder. */
  readonly reload?: { readonly service: string; readonly command: string };
  /** Services whose images are built on the host when their tags are missing. @default none */
  readonly build?: readonly string[];
  /**
   * Services that may run twice, in the order they need each other: their new container is healthy before the old one ends.
   * None may hold a lock or write to a volume of its own. @default none
   */
  readonly startFirst?: readonly string[];
  /**
   * Services of which two containers of the same image may share their volumes: start-first as well, but only while nothing else of the
   * stack changes. With another image, which may migrate the data, the old container stops first. @default none
   */
  readonly startFirstAlone?: readonly string[];
  /** Least memory of the machine, in MiB, and the setting that says so. */
  readonly memory?: { readonly mib: number; readonly setting: string };
  /** Budget of all its volumes, in GiB, and the setting that says so; `ops status` warns from 80 %. @default what the disk has */
  readonly disk?: { readonly gib: number; readonly setting: string };
  /** The only processor that its images are for, as `uname -m` says it. @default any that cloudcode supports */
  readonly processor?: "x86_64";
  /**
   * Databases that a backup takes as a dump instead of as files: `dump` prints one, `load` reads it into an empty database that
   * the service has just made in `volume`, `flush` has the database write all to its files. Programs of the container, of plain words. @default none
   */
  readonly dumps?: readonly {
    readonly service: string;
    readonly volume: string;
    readonly dump: string;
    readonly load: string;
    readonly flush: string;
  }[];
  /**
   * What a backup of the stack must bring back, in addition to its files and the rows of its databases, and what a drill of the backup
   * leaves out. @default nothing
   */
  readonly drill?: {
    /** Files that no backup may lack: the volume as compose.yaml calls it, and a path below it without blanks. @default none */
    readonly needs?: readonly { readonly volume: string; readonly path: string }[];
    /**
     * Programs of a container, of plain words, that print the same before a backup and after its restore. `about` is one word for people.
     * @default none
     */
    readonly asks?: readonly { readonly service: string; readonly about: string; readonly command: string }[];
    /** Services that do not become healthy without the internet or without what the machine has once only. @default none */
    readonly without?: readonly string[];
  };
  /**
   * Format of the App's data, where a version migrates it for good: a whole number that grows with each such migration. Where the data
   * on the host has another one, the host first keeps a copy of these volumes, as compose.yaml calls them, and going back brings version
   * and data back together. Data older than the first format that an App declares has format 1. @default its data needs no copy
   */
  readonly dataFormat?: { readonly number: number; readonly volumes: readonly string[] };
  /** Longest time to wait for health, in seconds. @default 180 */
  readonly healthTimeout?: number;
}

/** The plan in lines of `keyword argument…`, which a shell can read without a parser. */
export function planText(plan: ReleasePlan): string {
  const lines = [
    ...plan.networks.map((network) => `network ${network}`),
    ...(plan.aliases ?? []).map(({ network, name }) => `alias ${network} ${name}`),
    plan.joins && `joins ${plan.joins}`,
    ...(plan.build ?? []).map((service) => `build ${service}`),
    ...(plan.startFirst ?? []).map((service) => `start-first ${service}`),
    ...(plan.startFirstAlone ?? []).map((service) => `start-first ${service} alone`),
    plan.memory && `memory ${plan.memory.mib} ${plan.memory.setting}`,
    plan.disk && `disk ${plan.disk.gib} ${plan.disk.setting}`,
    plan.processor && `processor ${plan.processor}`,
    plan.check && `check ${plan.check.service} ${plan.check.command}`,
    plan.reload && `reload ${plan.reload.service} ${plan.reload.command}`,
    ...(plan.dumps ?? []).flatMap(({ service, volume, dump, load, flush }) => [
      `dump ${service} ${volume} ${dump}`,
      `load ${service} ${volume} ${load}`,
      `flush ${service} ${flush}`,
    ]),
    ...(plan.drill?.needs ?? []).map(({ volume, path }) => `needs ${volume} ${path}`),
    ...(plan.drill?.asks ?? []).map(({ service, about, command }) => `ask ${service} ${about} ${command}`),
    ...(plan.drill?.without ?? []).map((service) => `without ${service}`),
    plan.dataFormat && `format ${plan.dataFormat.number} ${plan.dataFormat.volumes.join(" ")}`,
    `timeout ${plan.healthTimeout ?? 180}`,
  ];
  return lines.filter(Boolean).join("\n") + "\n";
}

/** What a preview says of the data: a line that changes with its format alone. @param stack its name on the host */
export function formatComments({ dataFormat }: ReleasePlan, stack: string): string[] {
  if (dataFormat === undefined) return [];
  return [
    `# data format ${dataFormat.number}; where the host has another, it keeps a copy of ${dataFormat.volumes.join(", ")} first, and npm run ops -- rollback ${stack} brings version and data back`,
  ];
}
