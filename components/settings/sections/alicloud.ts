import * as check from "../checks";
import { choice, bool, list, number, someOf, text, integer } from "../setting";

/** Network, machine, disk and address on Alibaba Cloud. */
export const alicloudSettings = {
  region: text(check.region, {
    description: "Region of Alibaba Cloud (https://www.alibabacloud.com/help/en/ecs/user-guide/regions-and-zones).",
    example: "ap-southeast-1",
    default: "ap-southeast-1",
  }),
  icpFiled: bool({
    description: "Whether domain has an ICP filing; without one, mainland China blocks the site and its certificates.",
    example: "true",
    default: false,
  }),
  power: choice(["running", "stopped"], "is neither running nor stopped", {
    description:
      "stopped: the machine is off and not billed, disks and address are kept. Nothing on the host is changed while it is off.",
    example: "stopped",
    default: "running",
  }),
  instanceTypes: someOf(check.instanceType, {
    description:
      "Acceptable instance types; a new machine gets the cheapest in stock within the budget and keeps it, another list gives it the first one that can be had.",
    example: "'[\"ecs.e-c1m2.large\"]'",
    default: ["ecs.e-c1m2.large", "ecs.t6-c1m2.large", "ecs.u1-c1m2.large", "ecs.c7.large"],
  }),
  zones: list(check.zone, {
    description: "Acceptable zones of the region. Default: all.",
    example: "'[\"ap-southeast-1a\"]'",
    default: [],
  }),
  diskCategories: someOf(check.diskCategory, {
    description: "Acceptable categories of both disks; a new machine gets the cheapest, then kept.",
    example: "'[\"cloud_essd\"]'",
    default: ["cloud_essd_entry", "cloud_essd", "cloud_auto"],
  }),
  hostImage: text(check.imageId, {
    description:
      "System image of the machine; a change replaces the machine and keeps the data. Default: the newest Ubuntu 24.04 at creation.",
    example: "ubuntu_24_04_x64_20G_alibase_20260119.vhd",
  }),
  adoptedInstance: text(check.instanceId, {
    description:
      "Machine that `npm run ops -- import-state` adopted from the old CLI; it keeps its zone, type, disk category and image.",
    example: "i-t4n0a1b2c3d4e5f6g7h8",
  }),
  systemDiskGiB: integer(20, 2048, {
    description: "Size of the system disk, in GiB; it contains the system and the sources of images, but no data.",
    example: "40",
    default: 20,
  }),
  dataDiskGiB: integer(20, 32768, {
    description: "Size of the encrypted data disk, in GiB; you can enlarge it later.",
    example: "40",
    default: 20,
  }),
  bandwidthMbps: integer(1, 200, {
    description: "Bandwidth limit of the public address, in Mbit/s; traffic is billed by volume.",
    example: "20",
    default: 20,
  }),
  trafficGbPerMonth: integer(0, 100_000, {
    description: "Outbound traffic in the price estimate, in GB a month.",
    example: "20",
    default: 5,
  }),
  charge: choice(["payAsYouGo", "spot", "subscription"], "is not payAsYouGo, spot or subscription", {
    description:
      "How the machine is billed: payAsYouGo, spot (Alibaba Cloud can take it away at any time) or subscription.",
    example: "payAsYouGo",
    default: "payAsYouGo",
  }),
  spotPriceLimitUsd: number(0.001, 100, {
    description: "Highest price of a spot machine, in USD an hour. Default: up to the pay-as-you-go price.",
    example: "0.02",
  }),
  spotFallback: bool({
    description:
      "Whether npm run ops -- heal buys a pay-as-you-go machine when no spot machine can be had in the zone of the data disk; after 24 hours it looks for a spot machine again.",
    example: "true",
    default: false,
  }),
  subscriptionMonths: integer(1, 36, {
    description: "Length of the subscription, in months; after that it renews itself for one month each time.",
    example: "1",
    default: 1,
  }),
  budgetUsd: number(0, 100_000, {
    description:
      "Highest acceptable price of a month, in USD; what has no price is refused. 0: no limit. An account that is billed in another currency needs budget.",
    example: "40",
    default: 30,
  }),
  budget: number(0, 1_000_000, {
    description: "The same in the account's currency, in place of budgetUsd. Default: budgetUsd.",
    example: "220",
  }),
  snapshotRetentionDays: integer(7, 65_535, {
    description: "Days that the weekly snapshots of the data disk are kept.",
    example: "28",
    default: 28,
  }),
  restoreFromSnapshot: text(check.snapshotId, {
    description: "Snapshot from which the data disk is created; it has no effect on an existing disk.",
    example: "s-t4n0a1b2c3d4e5f6g7h8",
  }),
  finalSnapshot: bool({
    description: "Whether pulumi destroy takes a final snapshot of the data disk, which stays (only with deleteData).",
    example: "true",
    default: false,
  }),
  protectMachine: bool({
    description: "Whether Alibaba Cloud and Pulumi refuse to delete the machine and its address.",
    example: "true",
    default: false,
  }),
  vpcId: text(check.vpcId, {
    description: "An existing VPC to use. Default: a new one.",
    example: "vpc-t4n0a1b2c3d4e5f6g7h8",
  }),
  vswitchId: text(check.vswitchId, {
    description: "An existing vSwitch in vpcId to use. Default: a new one.",
    example: "vsw-t4n0a1b2c3d4e5f6g7h8",
  }),
  vpcCidr: text(check.vpcCidr, {
    description: "Network of a new VPC.",
    example: "192.168.0.0/16",
    default: "192.168.0.0/16",
  }),
  vswitchCidr: text(check.vpcCidr, {
    description: "Network of a new vSwitch, within the VPC's.",
    example: "192.168.1.0/24",
    default: "192.168.1.0/24",
  }),
  ipv6: bool({ description: "Whether the machine also has a public IPv6 address.", example: "true", default: false }),
  ipv6GatewayId: text(check.ipv6GatewayId, {
    description: "The IPv6 gateway of vpcId, if it already has one: a VPC can have only one. Default: a new one.",
    example: "ipv6gw-t4n0a1b2c3d4e5f6g7h8",
  }),
  resourceGroupId: text(check.resourceGroupId, {
    description: "Resource group of everything that is created. Default: the account's.",
    example: "rg-acfm0a1b2c3d4e5",
  }),
};
