import { vpcTags } from "./answers";
import type { Action, Actions, Answer, Call } from "./call";
import { ApiError, notFound } from "./errors";
import { id, tagFilter, text } from "./parameters";
import type { State } from "./state";

/** What has an id, tags and a resource group. */
interface Tagged {
  readonly id: string;
  tags: Record<string, string>;
  resourceGroupId: string;
}
export type Kinds = Readonly<Record<string, (state: State) => ReadonlyMap<string, Tagged>>>;

/** The names ECS has for its kinds of resource, in lower case as in their ARNs. */
export const ecsKinds: Kinds = {
  instance: (state) => state.instances,
  disk: (state) => state.disks,
  snapshot: (state) => state.snapshots,
  securitygroup: (state) => state.securityGroups,
  keypair: (state) => state.keyPairs,
  snapshotpolicy: (state) => state.policies,
};
export const vpcKinds: Kinds = {
  vpc: (state) => state.vpcs,
  vswitch: (state) => state.vswitches,
  eip: (state) => state.eips,
  ipv6gateway: (state) => state.ipv6Gateways,
};

function kindOf(call: Call, kinds: Kinds): ReadonlyMap<string, Tagged> {
  const kind = kinds[call.parameters.text("ResourceType").toLowerCase()];
  if (!kind) throw new ApiError(400, "InvalidResourceType.NotFound", "The ResourceType provided does not exist.");
  return kind(call.cloud.state);
}

function named(call: Call, kinds: Kinds, ids: readonly string[]): Tagged[] {
  const map = kindOf(call, kinds);
  return ids.map((wanted) => {
    const found = map.get(wanted);
    if (!found) throw notFound("InvalidResourceId.NotFound", wanted);
    return found;
  });
}

function tagResources(call: Call, kinds: Kinds): Answer {
  const added = call.parameters.tags();
  for (const one of named(call, kinds, call.parameters.list("ResourceId"))) {
    const tags = { ...one.tags, ...added };
    if (Object.keys(tags).length > 20) throw new ApiError(400, "NumberExceed.Tags", "A resource has 20 tags at most.");
    one.tags = tags;
  }
  return {};
}

function untagResources(call: Call, kinds: Kinds): Answer {
  const gone = call.parameters.list("TagKey");
  const all = call.parameters.text("All").toLowerCase() === "true";
  for (const one of named(call, kinds, call.parameters.list("ResourceId")))
    one.tags = Object.fromEntries(Object.entries(one.tags).filter(([key]) => !all && !gone.includes(key)));
  return {};
}

function listTagResources(call: Call, kinds: Kinds): Answer {
  const wanted = call.parameters.list("ResourceId");
  const map = kindOf(call, kinds);
  const resources = [...map.values()].filter((one) => wanted.length === 0 || wanted.includes(one.id));
  const filters = call.parameters.objects("Tag");
  const found = resources.flatMap((one) =>
    Object.entries(one.tags)
      .filter(
        ([key, value]) =>
          filters.length === 0 ||
          filters.some((filter) => filter.text("Key") === key && filter.text("Value", value) === value),
      )
      .map(([TagKey, TagValue]) => ({
        ResourceId: one.id,
        ResourceType: call.parameters.text("ResourceType"),
        TagKey,
        TagValue,
      })),
  );
  return { NextToken: "", TagResources: { TagResource: found } };
}

function moveGroup(call: Call, kinds: Kinds, key: string): Answer {
  for (const one of named(call, kinds, [call.parameters.text("ResourceId")]))
    one.resourceGroupId = call.parameters.text(key, one.resourceGroupId);
  return {};
}

const tag = (kinds: Kinds): Action => ({
  parameters: { required: { ResourceType: text, "ResourceId.N": text, ...tagFilter } },
  handle: (call) => tagResources(call, kinds),
});
const untag = (kinds: Kinds): Action => ({
  parameters: {
    required: { ResourceType: text, "ResourceId.N": text },
    optional: { "TagKey.N": text, All: ["true", "false"] },
  },
  handle: (call) => untagResources(call, kinds),
});
const list = (kinds: Kinds): Action => ({
  parameters: {
    required: { ResourceType: text },
    optional: { "ResourceId.N": text, NextToken: text, MaxResults: text, ...tagFilter },
  },
  handle: (call) => listTagResources(call, kinds),
});

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/TagResources and the same page of each action. */
export const ecsTagging: Actions = {
  TagResources: tag(ecsKinds),
  UntagResources: untag(ecsKinds),
  ListTagResources: list(ecsKinds),
  JoinResourceGroup: {
    parameters: { required: { ResourceId: text, ResourceType: text, ResourceGroupId: id("rg") } },
    handle: (call) => moveGroup(call, ecsKinds, "ResourceGroupId"),
  },
  // The provider asks for an image's tags; public images have none.
  DescribeTags: {
    parameters: { optional: { ResourceType: text, ResourceId: text, PageNumber: text, PageSize: text } },
    handle: () => ({ PageNumber: 1, PageSize: 50, TotalCount: 0, Tags: vpcTags({}) }),
  },
};

/** https://api.alibabacloud.com/document/Vpc/2016-04-28/TagResources and the same page of each action. */
export const vpcTagging: Actions = {
  TagResources: tag(vpcKinds),
  UnTagResources: untag(vpcKinds),
  ListTagResources: list(vpcKinds),
  MoveResourceGroup: {
    parameters: { required: { ResourceId: text, ResourceType: text, NewResourceGroupId: id("rg") } },
    handle: (call) => moveGroup(call, vpcKinds, "NewResourceGroupId"),
  },
};
