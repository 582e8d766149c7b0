import { accountId } from "./account-id";
import { alidns } from "./alidns/records";
import { bss } from "./bss/bills";
import type { Actions } from "./call";
import { diskAttachment } from "./ecs/disk-attachment";
import { disks } from "./ecs/disks";
import { instanceAttributes } from "./ecs/instance-attributes";
import { instanceChanges } from "./ecs/instance-changes";
import { instances } from "./ecs/instances";
import { keyPairs } from "./ecs/key-pairs";
import { market } from "./ecs/market";
import { prices } from "./ecs/prices";
import { rules } from "./ecs/rules";
import { securityGroups } from "./ecs/security-groups";
import { snapshotPolicies } from "./ecs/snapshot-policies";
import { snapshots } from "./ecs/snapshots";
import { text } from "./parameters";
import { ram } from "./ram/ram";
import { ecsTagging, vpcTagging } from "./tagging";
import { eips } from "./vpc/eips";
import { ipv6 } from "./vpc/ipv6";
import { vpcs } from "./vpc/vpcs";
import { vswitches } from "./vpc/vswitches";

/** An API of the cloud. */
export interface Product {
  /** Name in RAM policies. */
  readonly name: string;
  readonly actions: Actions;
  /** Whether a request names a region the catalogue has. */
  readonly regional: boolean;
}

const sts: Actions = {
  // https://api.alibabacloud.com/document/Sts/2015-04-01/GetCallerIdentity
  GetCallerIdentity: {
    parameters: {},
    handle: () => ({
      AccountId: accountId,
      UserId: "200000000000000000",
      Arn: `acs:ram::${accountId}:user/emulator`,
      IdentityType: "RAMUser",
      PrincipalId: "200000000000000000",
    }),
  },
};

const location: Actions = {
  // https://api.alibabacloud.com/document/Location/2015-06-12/DescribeEndpoints: all products are here.
  DescribeEndpoints: {
    parameters: { required: { Id: text, ServiceCode: text }, optional: { Type: text } },
    handle: ({ parameters }) => ({
      Endpoints: {
        Endpoint: [{ Endpoint: "127.0.0.1", ServiceCode: parameters.text("ServiceCode"), Id: parameters.text("Id") }],
      },
      Success: true,
    }),
  },
};

/** By API version, as all products answer at one address. */
export const products: Readonly<Record<string, Product>> = {
  "2014-05-26": {
    name: "ecs",
    regional: true,
    actions: {
      ...market,
      ...prices,
      ...instances,
      ...instanceAttributes,
      ...instanceChanges,
      ...disks,
      ...diskAttachment,
      ...snapshots,
      ...snapshotPolicies,
      ...securityGroups,
      ...rules,
      ...keyPairs,
      ...ecsTagging,
    },
  },
  "2016-04-28": { name: "vpc", regional: true, actions: { ...vpcs, ...vswitches, ...ipv6, ...eips, ...vpcTagging } },
  "2015-01-09": { name: "alidns", regional: false, actions: alidns },
  "2015-05-01": { name: "ram", regional: false, actions: ram },
  "2015-04-01": { name: "sts", regional: false, actions: sts },
  "2015-06-12": { name: "location", regional: false, actions: location },
  // QueryAvailableInstances is asked at start without an account type; any error answer will do.
  "2017-12-14": { name: "bssapi", regional: false, actions: bss },
};
