import { find, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import type { Instance } from "../model";
import { id, jsonList, page, text } from "../parameters";
import { findInstance } from "./instances";

/** One list entry per instance asked for by a JSON list. */
const each = (call: Call, show: (instance: Instance) => Answer): Answer[] =>
  (call.parameters.jsonList("InstanceIds") ?? [])
    .map((wanted) => find(call.cloud.state.instances, wanted, "InvalidInstanceId.NotFound"))
    .map(show);

const oneInstance = { required: { InstanceId: id("i") } };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/DescribeUserData and the same page of each action. */
export const instanceAttributes: Actions = {
  DescribeUserData: {
    parameters: oneInstance,
    handle: (call) => {
      const instance = findInstance(call);
      return { InstanceId: instance.id, RegionId: instance.regionId, UserData: instance.userData };
    },
  },
  DescribeInstanceRamRole: {
    parameters: { optional: { InstanceIds: jsonList, RamRoleName: text, ...page } },
    handle: (call) => ({ TotalCount: 0, RegionId: call.region, InstanceRamRoleSets: { InstanceRamRoleSet: [] } }),
  },
  DescribeInstanceMaintenanceAttributes: {
    parameters: { optional: { "InstanceId.N": id("i"), ...page } },
    handle: (call) => {
      const ids = call.parameters.list("InstanceId");
      const found = [...call.cloud.state.instances.values()].filter((one) => ids.includes(one.id));
      return paged(call, found, ["MaintenanceAttributes", "MaintenanceAttribute"], (instance) => ({
        InstanceId: instance.id,
        ActionOnMaintenance: { Value: "AutoRecover", DefaultValue: "AutoRecover" },
        NotifyOnMaintenance: false,
        MaintenanceWindows: { MaintenanceWindow: [] },
      }));
    },
  },
  DescribeInstanceAttachmentAttributes: {
    parameters: { required: { InstanceIds: jsonList }, optional: page },
    handle: (call) => ({
      Instances: {
        Instance: each(call, (instance) => ({
          InstanceId: instance.id,
          PrivatePoolOptionsMatchCriteria: "Open",
          PrivatePoolOptionsId: "",
        })),
      },
    }),
  },
  DescribeInstanceAutoRenewAttribute: {
    parameters: { optional: { InstanceId: text, RenewalStatus: text, ...page } },
    handle: (call) => {
      const { autoRenew, id: instanceId } = findInstance(call);
      const renewal = {
        InstanceId: instanceId,
        AutoRenewEnabled: autoRenew.on,
        RenewalStatus: autoRenew.on ? "AutoRenewal" : "Normal",
        Duration: autoRenew.on ? autoRenew.period : 0,
        PeriodUnit: autoRenew.unit,
      };
      return { InstanceRenewAttributes: { InstanceRenewAttribute: [renewal] }, TotalCount: 1 };
    },
  },
};
