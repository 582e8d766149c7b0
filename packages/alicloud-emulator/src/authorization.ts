import { accountId } from "./account-id";
import type { Call } from "./call";
import type { Requested } from "./policy";
import type { Kinds } from "./tagging";
import { ecsKinds, vpcKinds } from "./tagging";

type Find = (call: Call) => readonly Requested[];

const arn = (product: string, region: string, kind: string, id: string): string =>
  `acs:${product}:${region}:${accountId}:${kind}/${id}`;

/** The ids that these parameters hold, as a value, a list or a JSON list. */
const idsIn = ({ parameters }: Call, names: readonly string[]): string[] =>
  names.flatMap((name) => {
    const listed = parameters.text(name).startsWith("[") ? parameters.jsonList(name) : undefined;
    return listed ?? parameters.list(name);
  });

/** Those of a kind that exist. */
function existing(product: string, kinds: Kinds, kind: string, call: Call, ids: readonly string[]): Requested[] {
  const all = kinds[kind]?.(call.cloud.state);
  return ids.flatMap((id) => {
    const found = all?.get(id);
    return found ? [{ arn: arn(product, call.region, kind, id), tags: found.tags }] : [];
  });
}

const ecs =
  (kind: string, ...names: readonly string[]): Find =>
  (call) =>
    existing("ecs", ecsKinds, kind, call, idsIn(call, names));
const vpc =
  (kind: string, ...names: readonly string[]): Find =>
  (call) =>
    existing("vpc", vpcKinds, kind, call, idsIn(call, names));
/** What the product knows by its id only: its tags are not looked at. */
const untagged =
  (product: string, kind: string, name: string): Find =>
  (call) =>
    idsIn(call, [name]).map((id) => ({ arn: arn(product, call.region, kind, id), tags: {} }));
const made =
  (product: string, kind: string): Find =>
  ({ region }) => [{ arn: arn(product, region, kind, "*"), tags: {} }];
/** The resource that ResourceType and ResourceId name. */
const named =
  (product: string, kinds: Kinds): Find =>
  (call) =>
    existing(product, kinds, call.parameters.text("ResourceType").toLowerCase(), call, idsIn(call, ["ResourceId"]));
const anything: Find = () => [{ arn: "*", tags: {} }];

const instance = ecs("instance", "InstanceId", "InstanceIds");
const disk = ecs("disk", "DiskId", "diskIds");
const snapshot = ecs("snapshot", "SnapshotId");
const group = ecs("securitygroup", "SecurityGroupId");
const pair = ecs("keypair", "KeyPairName", "KeyPairNames");
const snapshotPolicy = ecs("snapshotpolicy", "autoSnapshotPolicyId");
const network = vpc("vpc", "VpcId");
const vswitch = vpc("vswitch", "VSwitchId");
const eip = vpc("eip", "AllocationId");
const gateway = vpc("ipv6gateway", "Ipv6GatewayId");
const bandwidth = untagged("vpc", "ipv6bandwidth", "Ipv6InternetBandwidthId");

/** The zone that is named, or that the record is in. */
const zone: Find = ({ cloud, parameters }) => {
  const record = cloud.state.records.get(parameters.text("RecordId"));
  const name = record?.domain ?? parameters.text("DomainName").toLowerCase();
  return name === "" ? [] : [{ arn: `acs:alidns::${accountId}:domain/${name}`, tags: {} }];
};

const ram =
  (kind: "user" | "policy", name: string): Find =>
  ({ parameters }) => [{ arn: `acs:ram:*:${accountId}:${kind}/${parameters.text(name)}`, tags: {} }];
const user = ram("user", "UserName");
const ramPolicy = ram("policy", "PolicyName");

/**
 * What RAM is asked about for each action that changes something. The resources of
 * https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-ram and of the pages of the actions of VPC
 * (https://www.alibabacloud.com/help/en/vpc/developer-reference/api-vpc-2016-04-28-ram), Alibaba Cloud DNS
 * (https://www.alibabacloud.com/help/en/dns/ram-authorization) and RAM (https://www.alibabacloud.com/help/en/ram/ram-authentication).
 * AuthorizeSecurityGroup… are without resource there, but policies for one group have them:
 * https://www.alibabacloud.com/help/en/ram/user-guide/manage-ecs-security-groups-within-an-alibaba-cloud-account
 */
const asked: Readonly<Record<string, Readonly<Record<string, readonly Find[]>>>> = {
  ecs: {
    ApplyAutoSnapshotPolicy: [disk, snapshotPolicy],
    AttachDisk: [disk, instance],
    AttachKeyPair: [instance, pair],
    AuthorizeSecurityGroup: [group],
    AuthorizeSecurityGroupEgress: [group],
    CancelAutoSnapshotPolicy: [disk],
    CreateAutoSnapshotPolicy: [made("ecs", "snapshotpolicy")],
    CreateDisk: [made("ecs", "disk"), snapshot],
    CreateSecurityGroup: [made("ecs", "securitygroup"), network],
    CreateSnapshot: [disk, made("ecs", "snapshot")],
    DeleteAutoSnapshotPolicy: [snapshotPolicy],
    DeleteDisk: [disk],
    DeleteInstance: [instance],
    DeleteKeyPairs: [pair],
    DeleteSecurityGroup: [group],
    DeleteSnapshot: [snapshot],
    DetachDisk: [disk, instance],
    DetachKeyPair: [instance, pair],
    ImportKeyPair: [made("ecs", "keypair")],
    JoinResourceGroup: [named("ecs", ecsKinds)],
    JoinSecurityGroup: [instance, group],
    LeaveSecurityGroup: [instance, group],
    ModifyAutoSnapshotPolicyEx: [snapshotPolicy],
    ModifyDiskAttribute: [disk],
    ModifyDiskSpec: [disk],
    ModifyInstanceAttribute: [instance],
    ModifyInstanceAutoRenewAttribute: [instance],
    ModifyInstanceChargeType: [instance],
    ModifyInstanceMetadataOptions: [instance],
    ModifyInstanceSpec: [instance],
    ModifyPrepayInstanceSpec: [instance],
    ModifySecurityGroupAttribute: [group],
    ModifySecurityGroupEgressRule: [group],
    ModifySecurityGroupPolicy: [group],
    ModifySecurityGroupRule: [group],
    ModifySnapshotAttribute: [snapshot],
    RebootInstance: [instance],
    ReplaceSystemDisk: [instance],
    ResizeDisk: [disk],
    RevokeSecurityGroup: [group],
    RevokeSecurityGroupEgress: [group],
    RunInstances: [anything],
    StartInstance: [instance],
    StopInstance: [instance],
    TagResources: [named("ecs", ecsKinds)],
    UntagResources: [named("ecs", ecsKinds)],
  },
  vpc: {
    AllocateEipAddress: [made("vpc", "eip")],
    AllocateIpv6InternetBandwidth: [made("vpc", "ipv6bandwidth")],
    AssociateEipAddress: [eip, untagged("vpc", "instance", "InstanceId")],
    CreateIpv6Gateway: [made("vpc", "ipv6gateway"), network],
    CreateVSwitch: [made("vpc", "vswitch"), network],
    CreateVpc: [made("vpc", "vpc")],
    DeleteIpv6Gateway: [gateway],
    DeleteIpv6InternetBandwidth: [bandwidth],
    DeleteVSwitch: [vswitch],
    DeleteVpc: [network],
    DeletionProtection: [vpc("eip", "InstanceId")],
    ModifyEipAddressAttribute: [eip],
    ModifyIpv6GatewayAttribute: [gateway],
    ModifyIpv6InternetBandwidth: [bandwidth],
    ModifyVSwitchAttribute: [vswitch],
    ModifyVpcAttribute: [network],
    MoveResourceGroup: [named("vpc", vpcKinds)],
    ReleaseEipAddress: [eip],
    TagResources: [named("vpc", vpcKinds)],
    UnTagResources: [named("vpc", vpcKinds)],
    UnassociateEipAddress: [eip, untagged("ecs", "instance", "InstanceId")],
  },
  alidns: {
    AddDomainRecord: [zone],
    DeleteDomainRecord: [zone],
    SetDomainRecordStatus: [zone],
    UpdateDomainRecord: [zone],
    UpdateDomainRecordRemark: [zone],
  },
  ram: {
    AttachPolicyToUser: [user, ramPolicy],
    CreateAccessKey: [user],
    CreatePolicy: [ramPolicy],
    CreateUser: [user],
    DeleteAccessKey: [user],
    DeletePolicy: [ramPolicy],
    DeleteUser: [user],
    DetachPolicyFromUser: [user, ramPolicy],
    GetPolicy: [ramPolicy],
    GetUser: [user],
    ListAccessKeys: [user],
    ListPoliciesForUser: [user],
  },
};

/** What finds that RAM is asked about; undefined for a change of which that is not known here. */
export function askedAbout(product: string, action: string): readonly Find[] | undefined {
  return asked[product]?.[action] ?? (/^(Describe|List|Get|Query)/.test(action) ? [anything] : undefined);
}
