// What the emulated cloud sells: a small choice, as of 2026-11, from public documentation; which zone sells which type
// changes by the hour in the real one and is made up here.
// Regions and zones: https://www.alibabacloud.com/help/en/ecs/user-guide/regions-and-zones
// Types: https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families
// Disks: https://www.alibabacloud.com/help/en/ecs/user-guide/block-storage-overview

export interface InstanceType {
  readonly id: string;
  readonly family: string;
  readonly vcpus: number;
  readonly memoryGiB: number;
  /** Categories of system and data disks. */
  readonly disks: readonly string[];
  readonly enis: number;
  readonly ipv6PerEni: number;
}

export interface DiskCategory {
  readonly id: string;
  readonly minGiB: number;
  readonly maxGiB: number;
}

export interface Image {
  readonly id: string;
  readonly name: string;
  readonly family: string;
  readonly os: string;
  readonly platform: string;
  readonly architecture: "x86_64" | "arm64";
  readonly sizeGiB: number;
  readonly createdAt: string;
}

const zones: Readonly<Record<string, readonly string[]>> = {
  "ap-southeast-1": ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"],
  "cn-hongkong": ["cn-hongkong-b", "cn-hongkong-c", "cn-hongkong-d"],
  "cn-hangzhou": ["cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j"],
};

const families: Readonly<Record<string, { disks: readonly string[]; ipv6PerEni: number }>> = {
  "ecs.e": { disks: ["cloud_essd_entry", "cloud_essd", "cloud_auto"], ipv6PerEni: 1 },
  "ecs.u1": { disks: ["cloud_essd_entry", "cloud_essd", "cloud_auto"], ipv6PerEni: 2 },
  "ecs.t6": { disks: ["cloud_efficiency", "cloud_ssd", "cloud_essd"], ipv6PerEni: 1 },
  "ecs.c7": { disks: ["cloud_essd", "cloud_auto"], ipv6PerEni: 6 },
  "ecs.g7": { disks: ["cloud_essd", "cloud_auto"], ipv6PerEni: 6 },
  "ecs.c8i": { disks: ["cloud_essd", "cloud_auto"], ipv6PerEni: 6 },
  "ecs.g6": { disks: ["cloud_efficiency", "cloud_ssd", "cloud_essd"], ipv6PerEni: 6 },
};

const sizes: readonly (readonly [id: string, family: string, vcpus: number, memoryGiB: number])[] = [
  ["ecs.e-c1m1.large", "ecs.e", 2, 2],
  ["ecs.e-c1m2.large", "ecs.e", 2, 4],
  ["ecs.e-c1m4.large", "ecs.e", 2, 8],
  ["ecs.e-c1m2.xlarge", "ecs.e", 4, 8],
  ["ecs.u1-c1m1.large", "ecs.u1", 2, 2],
  ["ecs.u1-c1m2.large", "ecs.u1", 2, 4],
  ["ecs.u1-c1m4.large", "ecs.u1", 2, 8],
  ["ecs.u1-c1m2.xlarge", "ecs.u1", 4, 8],
  ["ecs.t6-c1m1.large", "ecs.t6", 2, 2],
  ["ecs.t6-c1m2.large", "ecs.t6", 2, 4],
  ["ecs.c7.large", "ecs.c7", 2, 4],
  ["ecs.c7.xlarge", "ecs.c7", 4, 8],
  ["ecs.g7.large", "ecs.g7", 2, 8],
  ["ecs.c8i.large", "ecs.c8i", 2, 4],
  ["ecs.g6.large", "ecs.g6", 2, 8],
];

const types = new Map<string, InstanceType>(
  sizes.map(([id, family, vcpus, memoryGiB]) => [
    id,
    { id, family, vcpus, memoryGiB, enis: 2, ...(families[family] ?? { disks: [], ipv6PerEni: 0 }) },
  ]),
);

/** Families that a zone does not sell at all. */
const notSold: Readonly<Record<string, readonly string[]>> = {
  "ap-southeast-1a": ["ecs.c8i", "ecs.t6"],
  "ap-southeast-1b": ["ecs.t6"],
  "ap-southeast-1c": ["ecs.g6"],
  "cn-hongkong-b": ["ecs.e", "ecs.c8i"],
  "cn-hangzhou-h": ["ecs.c8i"],
};

const categories: readonly DiskCategory[] = [
  { id: "cloud_essd", minGiB: 20, maxGiB: 65536 },
  { id: "cloud_auto", minGiB: 1, maxGiB: 65536 },
  { id: "cloud_essd_entry", minGiB: 10, maxGiB: 65536 },
  { id: "cloud_efficiency", minGiB: 20, maxGiB: 32768 },
  { id: "cloud_ssd", minGiB: 20, maxGiB: 32768 },
];

/** Image families: name, operating system, platform; every one for two architectures. */
const systems = [
  ["ubuntu_24_04", "Ubuntu 24.04 64 bit", "Ubuntu"],
  ["ubuntu_22_04", "Ubuntu 22.04 64 bit", "Ubuntu"],
  ["ubuntu_20_04", "Ubuntu 20.04 64 bit", "Ubuntu"],
  ["debian_12", "Debian 12.5 64 bit", "Debian"],
  ["debian_11", "Debian 11.9 64 bit", "Debian"],
] as const;

/** Dates of the builds; public images come about monthly. */
const builds = Array.from({ length: 13 }, (_, month) => new Date(Date.UTC(2025, 9 + month, 12, 6)));

const images: readonly Image[] = builds.flatMap((date) =>
  systems.flatMap(([system, os, platform]) =>
    (["x64", "arm64"] as const).map((architecture): Image => {
      const day = date.toISOString().slice(0, 10).replaceAll("-", "");
      const name = `${system}_${architecture}_20G_alibase_${day}.vhd`;
      return {
        id: name,
        name,
        family: `acs:${system}_${architecture}`,
        os,
        platform,
        architecture: architecture === "x64" ? "x86_64" : "arm64",
        sizeGiB: 20,
        createdAt: `${date.toISOString().slice(0, 19)}Z`,
      };
    }),
  ),
);

/** More than one page of zones; the last four are of use. */
const domains: readonly string[] = [
  ...Array.from({ length: 110 }, (_, number) => `parked-${String(number + 1).padStart(3, "0")}.example`),
  "example.com",
  "home.example.com",
  "example.co.uk",
  "xn--bcher-kva.example",
];

/** List prices of an hour in USD in Singapore. Made up, near what was seen; nobody's bill is computed with them. */
const hourly: Readonly<Record<string, number>> = {
  "ecs.e-c1m1.large": 0.0178,
  "ecs.e-c1m2.large": 0.0356,
  "ecs.e-c1m4.large": 0.0534,
  "ecs.e-c1m2.xlarge": 0.0712,
  "ecs.u1-c1m1.large": 0.0401,
  "ecs.u1-c1m2.large": 0.0357,
  "ecs.u1-c1m4.large": 0.0711,
  "ecs.u1-c1m2.xlarge": 0.1048,
  "ecs.t6-c1m1.large": 0.0265,
  "ecs.t6-c1m2.large": 0.0362,
  "ecs.c7.large": 0.0893,
  "ecs.c7.xlarge": 0.1786,
  "ecs.g7.large": 0.1152,
  "ecs.c8i.large": 0.0941,
  "ecs.g6.large": 0.1103,
};

/** The same of a GiB of disk and month; of a cloud_essd by its level. */
const perGiBMonth: Readonly<Record<string, number>> = {
  cloud_essd_entry: 0.0775,
  cloud_auto: 0.152,
  cloud_efficiency: 0.07,
  cloud_ssd: 0.16,
  "cloud_essd PL0": 0.08,
  "cloud_essd PL1": 0.185,
  "cloud_essd PL2": 0.37,
  "cloud_essd PL3": 0.74,
};

/** Of a region: what its machines and disks cost as a multiple of Singapore's, and a GB of traffic in USD. */
const regionPrices: Readonly<Record<string, { readonly times: number; readonly trafficPerGb: number }>> = {
  "ap-southeast-1": { times: 1, trafficPerGb: 0.081 },
  "cn-hongkong": { times: 1.1, trafficPerGb: 0.153 },
  "cn-hangzhou": { times: 0.8, trafficPerGb: 0.123 },
};

/** What can be bought, and which DNS zones the account has. */
export class Catalogue {
  readonly domains: readonly string[];

  /** `domains`: DNS zones beyond the usual ones. */
  constructor(more: readonly string[] = []) {
    this.domains = [...domains, ...more];
  }

  /** Empty for a region the emulator does not know. */
  zones(region: string): readonly string[] {
    return zones[region] ?? [];
  }

  get regions(): readonly string[] {
    return Object.keys(zones);
  }

  type(id: string): InstanceType | undefined {
    return types.get(id);
  }

  /** The types a zone sells, whether they are in stock or not. */
  typesIn(zone: string): readonly InstanceType[] {
    return [...types.values()].filter((type) => !(notSold[zone] ?? []).includes(type.family));
  }

  get types(): readonly InstanceType[] {
    return [...types.values()];
  }

  /** List price of an hour in USD; undefined where the region sells no such type. */
  hourlyPrice(region: string, type: string): number | undefined {
    const price = hourly[type];
    const sold = this.zones(region).some((zone) => this.typesIn(zone).some(({ id }) => id === type));
    return price === undefined || !sold ? undefined : price * (regionPrices[region]?.times ?? 1);
  }

  /** The market price of spot as a share of the list price: 0.2 in the first zone of a region, a little more in each further one. */
  spotShare(region: string, zone: string): number {
    return 0.2 + 0.05 * Math.max(0, this.zones(region).indexOf(zone));
  }

  /** List price of a GiB of disk and month in USD. */
  diskPrice(region: string, category: string, level: string): number | undefined {
    const price = perGiBMonth[category === "cloud_essd" ? `${category} ${level}` : category];
    return price === undefined ? undefined : price * (regionPrices[region]?.times ?? 1);
  }

  /** List price of a GB of traffic to the internet in USD. */
  trafficPrice(region: string): number | undefined {
    return regionPrices[region]?.trafficPerGb;
  }

  category(id: string): DiskCategory | undefined {
    return categories.find((category) => category.id === id);
  }

  /** Newest first, as the API lists them. */
  get images(): readonly Image[] {
    return images.toReversed();
  }

  image(id: string): Image | undefined {
    return images.find((image) => image.id === id);
  }
}
