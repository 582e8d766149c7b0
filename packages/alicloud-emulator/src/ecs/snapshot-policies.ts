import { ecsTags, find, hasTags, matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { invalid } from "../errors";
import type { SnapshotPolicy } from "../model";
import type { Format } from "../parameters";
import { id, jsonList, name, page, resourceGroup, tagFilter } from "../parameters";
import { findDisk } from "./disks";

/** Days: -1 for ever, else 1 to 65536; hours 0 to 23; weekdays 1 to 7. */
const days = /^(-1|[1-9]\d{0,4})$/;

function checkTimes(parameter: string, list: string, from: number, to: number): string {
  const numbers = [...list.matchAll(/"(\d+)"/g)].map((match) => Number(match[1]));
  if (numbers.length === 0 || numbers.some((number) => number < from || number > to))
    throw invalid("InvalidParameter", parameter);
  return list;
}

const findPolicy = ({ cloud }: Call, policyId: string): SnapshotPolicy =>
  find(cloud.state.policies, policyId, "InvalidAutoSnapshotPolicyId.NotFound");

function create(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const policy: SnapshotPolicy = {
    ...cloud.base("sp", region, parameters.tags(), ""),
    // The provider does not compute the group: a value the program did not give would be a difference for ever.
    resourceGroupId: parameters.text("ResourceGroupId"),
    name: parameters.text("autoSnapshotPolicyName"),
    timePoints: checkTimes("timePoints", parameters.text("timePoints"), 0, 23),
    repeatWeekdays: checkTimes("repeatWeekdays", parameters.text("repeatWeekdays"), 1, 7),
    retentionDays: parameters.number("retentionDays", -1),
  };
  cloud.state.policies.set(policy.id, policy);
  return { AutoSnapshotPolicyId: policy.id };
}

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const found = [...cloud.state.policies.values()].filter(
    (policy) =>
      policy.regionId === region &&
      matches(parameters, "AutoSnapshotPolicyId", policy.id) &&
      matches(parameters, "AutoSnapshotPolicyName", policy.name) &&
      hasTags(policy, parameters),
  );
  return paged(call, found, ["AutoSnapshotPolicies", "AutoSnapshotPolicy"], (policy) => ({
    AutoSnapshotPolicyId: policy.id,
    AutoSnapshotPolicyName: policy.name,
    TimePoints: policy.timePoints,
    RepeatWeekdays: policy.repeatWeekdays,
    RetentionDays: policy.retentionDays,
    Status: "Normal",
    RegionId: policy.regionId,
    CreationTime: policy.createdAt,
    EnableCrossRegionCopy: false,
    DiskNums: [...cloud.state.disks.values()].filter((disk) => disk.policyId === policy.id).length,
    ResourceGroupId: policy.resourceGroupId,
    Tags: ecsTags(policy.tags),
  }));
}

function modify(call: Call): Answer {
  const { parameters } = call;
  const policy = findPolicy(call, parameters.text("autoSnapshotPolicyId"));
  policy.name = parameters.optional("autoSnapshotPolicyName") ?? policy.name;
  policy.timePoints = checkTimes("timePoints", parameters.text("timePoints", policy.timePoints), 0, 23);
  policy.repeatWeekdays = checkTimes("repeatWeekdays", parameters.text("repeatWeekdays", policy.repeatWeekdays), 1, 7);
  policy.retentionDays = parameters.number("retentionDays", policy.retentionDays);
  return {};
}

function remove(call: Call): Answer {
  const { cloud } = call;
  const policy = findPolicy(call, call.parameters.text("autoSnapshotPolicyId"));
  for (const disk of cloud.state.disks.values()) if (disk.policyId === policy.id) disk.policyId = "";
  cloud.state.policies.delete(policy.id);
  return {};
}

function apply(call: Call, policyId: string): Answer {
  const ids = call.parameters.jsonList("diskIds") ?? [];
  for (const disk of ids.map((diskId) => findDisk(call, diskId))) disk.policyId = policyId;
  return {};
}

const policyId = { autoSnapshotPolicyId: id("sp") };
const times: Readonly<Record<string, Format>> = { timePoints: jsonList, repeatWeekdays: jsonList, retentionDays: days };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/CreateAutoSnapshotPolicy and the same page of each action. */
export const snapshotPolicies: Actions = {
  CreateAutoSnapshotPolicy: {
    parameters: {
      required: times,
      optional: { autoSnapshotPolicyName: name, EnableCrossRegionCopy: ["false"], ...resourceGroup, ...tagFilter },
    },
    handle: create,
  },
  DescribeAutoSnapshotPolicyEx: {
    parameters: {
      optional: {
        AutoSnapshotPolicyId: id("sp"),
        AutoSnapshotPolicyName: name,
        ...page,
        ...resourceGroup,
        ...tagFilter,
      },
    },
    handle: describe,
  },
  ModifyAutoSnapshotPolicyEx: {
    parameters: {
      required: policyId,
      optional: { ...times, autoSnapshotPolicyName: name, EnableCrossRegionCopy: ["false"] },
    },
    handle: modify,
  },
  DeleteAutoSnapshotPolicy: { parameters: { required: policyId }, handle: remove },
  ApplyAutoSnapshotPolicy: {
    parameters: { required: { ...policyId, diskIds: jsonList } },
    handle: (call) => apply(call, findPolicy(call, call.parameters.text("autoSnapshotPolicyId")).id),
  },
  CancelAutoSnapshotPolicy: { parameters: { required: { diskIds: jsonList } }, handle: (call) => apply(call, "") },
};
