import { minimalAlicloud } from "../support/minimal";
import { faultsOf } from "../support/settings";

describe("a value of the target alicloud that fails its check is reported by its key and its fault", () => {
  it.each([
    ["region", "Singapore", "is not a region such as ap-southeast-1"],
    ["region", "ap-southeast-1; rm", "is not a region such as ap-southeast-1"],
    ["icpFiled", "yes", "is neither true nor false"],
    ["power", "off", "is neither running nor stopped"],
    ["instanceTypes", "ecs.g7.large", "is not JSON"],
    ["instanceTypes", '["g7.large"]', "[0] is not an instance type such as ecs.g7.large"],
    ["instanceTypes", '["ecs.g7.large","ecs.g7"]', "[1] is not an instance type such as ecs.g7.large"],
    ["instanceTypes", "[]", "is empty: list at least one"],
    ["zones", '["ap-southeast-1"]', "[0] is not a zone such as ap-southeast-1a"],
    ["diskCategories", '["essd"]', "[0] is not a disk category such as cloud_essd"],
    ["diskCategories", "[]", "is empty: list at least one"],
    ["hostImage", "ubuntu 24.04", "is not the id of an image"],
    ["adoptedInstance", "vpc-t4n0a1", "is not the id of a machine"],
    ["systemDiskGiB", "19", "is below 20"],
    ["systemDiskGiB", "2049", "is above 2048"],
    ["dataDiskGiB", "19", "is below 20"],
    ["dataDiskGiB", "32769", "is above 32768"],
    ["bandwidthMbps", "0", "is below 1"],
    ["bandwidthMbps", "201", "is above 200"],
    ["trafficGbPerMonth", "-1", "is below 0"],
    ["trafficGbPerMonth", "100001", "is above 100000"],
    ["charge", "prepaid", "is not payAsYouGo, spot or subscription"],
    ["spotPriceLimitUsd", "0", "is below 0.001"],
    ["spotPriceLimitUsd", "101", "is above 100"],
    ["spotPriceLimitUsd", "cheap", "is not a number"],
    ["subscriptionMonths", "0", "is below 1"],
    ["subscriptionMonths", "37", "is above 36"],
    ["budgetUsd", "-1", "is below 0"],
    ["budgetUsd", "100001", "is above 100000"],
    ["snapshotRetentionDays", "6", "is below 7"],
    ["snapshotRetentionDays", "65536", "is above 65535"],
    ["restoreFromSnapshot", "snapshot-1", "is not the id of a snapshot"],
    ["finalSnapshot", "1", "is neither true nor false"],
    ["protectMachine", "on", "is neither true nor false"],
    ["vpcId", "vsw-t4n0a1", "is not the id of a VPC"],
    ["vswitchId", "vpc-t4n0a1", "is not the id of a vSwitch"],
    ["ipv6GatewayId", "vpc-t4n0a1", "is not the id of an IPv6 gateway"],
    ["vpcCidr", "203.0.113.0/24", "is not a private IPv4 network of /8 to /29"],
    ["vpcCidr", "172.32.0.0/16", "is not a private IPv4 network of /8 to /29"],
    ["vpcCidr", "192.168.1.0/30", "is not a private IPv4 network of /8 to /29"],
    ["vswitchCidr", "fd00::/64", "is not a private IPv4 network of /8 to /29"],
    ["ipv6", "yes", "is neither true nor false"],
    ["resourceGroupId", "default", "is not the id of a resource group"],
  ])("%s = %j %s", (key, value, fault) => {
    expect(faultsOf({ [key]: value }, minimalAlicloud)).toEqual([`${key} ${fault}`]);
  });

  it.each([
    ["region", "us-east-1"],
    ["region", "cn-hongkong"],
    ["region", "ap-southeast-7"],
    ["zones", '["ap-southeast-1a","ap-southeast-1b"]'],
    ["instanceTypes", '["ecs.e-c1m2.large"]'],
    ["hostImage", "m-t4n0a1b2"],
    ["hostImage", "ubuntu_24_04_x64_20G_alibase_20260119.vhd"],
    ["vpcCidr", "192.168.0.0/16"],
    ["resourceGroupId", "rg-acfm0a1b2c3d4e5"],
  ])("%s = %s is fine", (key, value) => {
    expect(faultsOf({ [key]: value, budgetUsd: "500" }, minimalAlicloud)).toEqual([]);
  });
});
