import { matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import type { InstanceType } from "../catalogue";
import { ApiError } from "../errors";
import { flag, page, text, whole } from "../parameters";
import { marketOf } from "./stock";

const stateOf = (available: boolean): Answer => ({
  Status: available ? "Available" : "SoldOut",
  StatusCategory: available ? "WithStock" : "WithoutStock",
});

/** The types of a zone that fit the request, whether in stock or not. */
function candidates({ catalogue, parameters, stock }: Call, zone: string): readonly InstanceType[] {
  const categories = ["SystemDiskCategory", "DataDiskCategory"].map((key) => parameters.text(key)).filter(Boolean);
  return catalogue
    .typesIn(zone)
    .filter(
      (type) =>
        matches(parameters, "InstanceType", type.id) &&
        parameters.number("Cores", type.vcpus) === type.vcpus &&
        parameters.number("Memory", type.memoryGiB) === type.memoryGiB &&
        categories.every((category) => type.disks.includes(category) && !stock.lacksDisk(zone, category)),
    );
}

function supported(call: Call, zone: string): Answer[] {
  const { catalogue, parameters, stock } = call;
  const types = candidates(call, zone);
  if (
    parameters.text("DestinationResource") === "SystemDisk" ||
    parameters.text("DestinationResource") === "DataDisk"
  ) {
    const categories = new Set(types.flatMap((type) => type.disks));
    return [...categories].flatMap((one) => {
      const category = catalogue.category(one);
      if (!category) return [];
      const system = parameters.text("DestinationResource") === "SystemDisk";
      const Max = system ? 2048 : category.maxGiB;
      const state = stateOf(!stock.lacksDisk(zone, one));
      return [{ Value: one, ...state, Min: Math.max(category.minGiB, system ? 20 : 1), Max, Unit: "GiB" }];
    });
  }
  return types.map((type) => ({
    Value: type.id,
    ...stateOf(stock.offers(zone, type.id, marketOf(parameters.text("SpotStrategy")))),
  }));
}

function describeAvailable(call: Call): Answer {
  const { catalogue, parameters, region } = call;
  if (catalogue.zones(region).length === 0) throw new ApiError(404, "InvalidRegionId.NotFound", "No such region.");
  const destination = parameters.text("DestinationResource");
  const zones = catalogue.zones(region).filter((zone) => matches(parameters, "ZoneId", zone));
  const shown = zones.flatMap((zone): Answer[] => {
    const resources = supported(call, zone);
    if (resources.length === 0) return [];
    const available = resources.some((one) => one["Status"] === "Available");
    const list = {
      AvailableResource: [{ Type: destination, SupportedResources: { SupportedResource: resources } }],
    };
    return [
      {
        ZoneId: zone,
        RegionId: region,
        ...stateOf(available),
        ...(destination === "Zone" ? {} : { AvailableResources: list }),
      },
    ];
  });
  return { AvailableZones: { AvailableZone: shown } };
}

function describeZones(call: Call): Answer {
  const { catalogue, region } = call;
  const zones = catalogue.zones(region).map((zone) => ({
    ZoneId: zone,
    LocalName: zone,
    ZoneType: "AvailabilityZone",
    AvailableResourceCreation: { ResourceTypes: ["VSwitch", "IoOptimized", "Instance", "Disk", "DedicatedHost"] },
    AvailableInstanceTypes: { InstanceTypes: catalogue.typesIn(zone).map((type) => type.id) },
    AvailableDiskCategories: {
      DiskCategories: [...new Set(catalogue.typesIn(zone).flatMap((type) => type.disks))],
    },
    AvailableVolumeCategories: { VolumeCategories: [] },
    DedicatedHostGenerations: { DedicatedHostGeneration: [] },
    AvailableDedicatedHostTypes: { DedicatedHostType: [] },
    AvailableResources: { ResourcesInfo: [] },
  }));
  return { Zones: { Zone: zones } };
}

function describeTypes(call: Call): Answer {
  const { catalogue, parameters } = call;
  const wanted = parameters.list("InstanceTypes");
  const found = catalogue.types.filter(
    (type) =>
      (wanted.length === 0 || wanted.includes(type.id)) &&
      matches(parameters, "InstanceTypeFamily", type.family) &&
      type.vcpus >= parameters.number("MinimumCpuCoreCount", 0) &&
      type.memoryGiB >= parameters.number("MinimumMemorySize", 0),
  );
  const shown = found.map((type) => ({
    InstanceTypeId: type.id,
    InstanceTypeFamily: type.family,
    InstanceFamilyLevel: "EnterpriseLevel",
    CpuCoreCount: type.vcpus,
    CpuArchitecture: "X86",
    MemorySize: type.memoryGiB,
    EniQuantity: type.enis,
    EniIpv6AddressQuantity: type.ipv6PerEni,
    EniPrivateIpAddressQuantity: 6,
    GPUAmount: 0,
    GPUSpec: "",
    NvmeSupport: "unsupported",
  }));
  return { InstanceTypes: { InstanceType: shown }, NextToken: "" };
}

function describeImages(call: Call): Answer {
  const { catalogue, parameters } = call;
  const ids = parameters.text("ImageId");
  const pattern = parameters
    .text("ImageName")
    .split("*")
    .map((part) => part.replace(/[^\w-]/g, "\\$&"))
    .join(".*");
  const found = catalogue.images.filter(
    (image) =>
      (ids === "" || ids.split(",").includes(image.id)) &&
      matches(parameters, "ImageFamily", image.family) &&
      matches(parameters, "Architecture", image.architecture) &&
      matches(parameters, "ImageOwnerAlias", "system") &&
      matches(parameters, "OSType", "linux") &&
      (pattern === "" || new RegExp(`^${pattern}$`).test(image.name)),
  );
  const answer = paged(call, found, ["Images", "Image"], (image) => ({
    ImageId: image.id,
    ImageName: image.name,
    ImageFamily: image.family,
    ImageOwnerAlias: "system",
    Architecture: image.architecture,
    OSName: image.os,
    OSNameEn: image.os,
    OSType: "linux",
    Platform: image.platform,
    Size: image.sizeGiB,
    Status: "Available",
    CreationTime: image.createdAt,
    IsSupportCloudinit: true,
    IsSupportIoOptimized: true,
    IsPublic: true,
    IsSelfShared: "",
    ImageVersion: "",
    Usage: "none",
    Progress: "100%",
    ProductCode: "",
    Description: "",
    DiskDeviceMappings: { DiskDeviceMapping: [] },
    Tags: { Tag: [] },
  }));
  return { ...answer, RegionId: call.region };
}

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/DescribeAvailableResource and the same page of each action. */
export const market: Actions = {
  DescribeAvailableResource: {
    parameters: {
      required: { DestinationResource: ["Zone", "IoOptimized", "InstanceType", "SystemDisk", "DataDisk"] },
      optional: {
        InstanceType: text,
        ZoneId: text,
        Cores: whole,
        Memory: /^\d+(\.\d+)?$/,
        IoOptimized: text,
        SystemDiskCategory: text,
        DataDiskCategory: text,
        NetworkCategory: ["vpc", "classic"],
        InstanceChargeType: ["PostPaid", "PrePaid"],
        SpotStrategy: text,
        SpotDuration: text,
        ResourceType: ["instance", "disk"],
        Scope: text,
      },
    },
    handle: describeAvailable,
  },
  DescribeZones: {
    parameters: { optional: { InstanceChargeType: text, SpotStrategy: text, AcceptLanguage: text, Verbose: flag } },
    handle: describeZones,
  },
  DescribeRegions: {
    parameters: { optional: { InstanceChargeType: text, ResourceType: text, AcceptLanguage: text } },
    handle: ({ catalogue }) => ({
      Regions: {
        Region: catalogue.regions.map((RegionId) => ({
          RegionId,
          LocalName: RegionId,
          RegionEndpoint: `ecs.${RegionId}.aliyuncs.com`,
          Status: "available",
        })),
      },
    }),
  },
  DescribeInstanceTypes: {
    parameters: {
      optional: {
        "InstanceTypes.N": text,
        InstanceTypeFamily: text,
        MinimumCpuCoreCount: whole,
        MinimumMemorySize: text,
        CpuArchitecture: text,
        MaxResults: whole,
        NextToken: text,
      },
    },
    handle: describeTypes,
  },
  DescribeImages: {
    parameters: {
      optional: {
        ImageId: text,
        ImageName: text,
        ImageFamily: text,
        ImageOwnerAlias: text,
        OSType: ["linux", "windows"],
        Architecture: ["x86_64", "arm64", "i386"],
        Status: text,
        InstanceType: text,
        IsSupportCloudinit: flag,
        IsSupportIoOptimized: flag,
        ActionType: text,
        Usage: text,
        ...page,
      },
    },
    handle: describeImages,
  },
};
