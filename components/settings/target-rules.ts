import { isIP } from "node:net";
import { architectureOf } from "../alicloud/hooks/architecture";
import { reservedNetworks } from "../apps/registry";
import { isMainland } from "./network-rules";
import { holds, overlap } from "./networks";
import { type Problem, missing, when } from "./problem";
import type { PlainSettings, SettingKey } from "./table";

/** Problems between the settings of the stack's Target. */
export function targetProblems(values: PlainSettings): Problem[] {
  // An unknown target is reported already; what another one needs would only confuse.
  if (values.target === undefined) return [];
  return values.target === "existing" ? existingProblems(values) : alicloudProblems(values);
}

function existingProblems(values: PlainSettings): Problem[] {
  const { domain, hostAddress, power } = values;
  return [
    ...missing(values, ["hostAddress"], "the target existing needs the address of a host"),
    ...missing(values, ["hostPrivateKey"], "the target existing needs a key to log in with"),
    ...missing(values, ["hostKey"], "the host key is pinned, never trusted on first use"),
    ...when(
      domain === undefined && hostAddress !== undefined && isIP(hostAddress) !== 4,
      "domain",
      "is missing: only an IPv4 hostAddress has a default domain (<address>.sslip.io)",
    ),
    ...when(power === "stopped", "power", "is stopped, but only the target alicloud can stop its machine"),
    ...when(
      values.backupRepository === "oss",
      "backupRepository",
      "is oss, a bucket that only the target alicloud creates: use s3:https://HOST/BUCKET/PATH with its keys, an SFTP server or a folder",
    ),
    ...without(values, "the target existing", [
      "vpcId",
      "vswitchId",
      "ipv6GatewayId",
      "hostImage",
      "adoptedInstance",
      "restoreFromSnapshot",
    ]),
  ];
}

function alicloudProblems(values: PlainSettings): Problem[] {
  const { region = "", icpFiled, sshCidrs = [], webCidrs = [], charge, power, ipv6 } = values;
  return [
    ...when(
      sshCidrs.length === 0,
      "sshCidrs",
      "is missing: it lists the networks that may connect to SSH on the machine; curl -4 https://ifconfig.me shows your address, add /32",
    ),
    ...when(
      ipv6 === false && sshCidrs.some((cidr) => cidr.includes(":")),
      "sshCidrs",
      "contains an IPv6 network, but ipv6 is false",
    ),
    ...when(
      ipv6 === false && webCidrs.some((cidr) => cidr.includes(":")),
      "webCidrs",
      "contains an IPv6 network, but ipv6 is false",
    ),
    ...when(
      isMainland(region) && icpFiled === false,
      "region",
      "is in mainland China, where a site without ICP filing is blocked: set icpFiled to true if domain has one, or use cn-hongkong or ap-southeast-1",
    ),
    ...without(values, "the target alicloud", ["hostAddress", "hostPrivateKey", "hostKey"]),
    ...when(
      values.spotPriceLimitUsd !== undefined && charge !== "spot",
      "spotPriceLimitUsd",
      "has no effect unless charge is spot",
    ),
    ...when(values.spotFallback === true && charge !== "spot", "spotFallback", "has no effect unless charge is spot"),
    ...when(
      power === "stopped" && charge === "subscription",
      "power",
      "cannot be stopped to save money: a subscription is billed in any case",
    ),
    ...when(
      values.finalSnapshot === true && values.deleteData === false,
      "finalSnapshot",
      "has no effect while deleteData is false: the data disk itself is kept",
    ),
    ...architectureProblems(values),
    ...networkProblems(values),
  ];
}

/** Any type of the list may be the one in stock, with the image that was chosen once; an App says for itself what it needs. */
function architectureProblems({ instanceTypes = [] }: PlainSettings): Problem[] {
  const arm = instanceTypes.filter((type) => architectureOf(type) === "arm64");
  return when(
    arm.length > 0 && arm.length < instanceTypes.length,
    "instanceTypes",
    `contains ${arm.join(", ")} with ARM processors next to x86-64 types: a machine cannot change from one to the other; list types of one kind only`,
  );
}

function networkProblems(values: PlainSettings): Problem[] {
  const { vpcId, vswitchId, ipv6GatewayId, ipv6, vpcCidr = "", vswitchCidr = "", dockerAddressPool = "" } = values;
  const taken = [{ title: "dockerAddressPool", cidrs: [dockerAddressPool] }, ...reservedNetworks];
  const own = { ...(vpcId === undefined && { vpcCidr }), ...(vswitchId === undefined && { vswitchCidr }) };
  const clashes = Object.entries(own).flatMap(([key, cidr]) =>
    taken.flatMap(({ title, cidrs }) =>
      when(
        cidrs.some((other) => overlap(cidr, other)),
        key,
        `overlaps with ${title}`,
      ),
    ),
  );
  return [
    ...clashes,
    ...when(vswitchId !== undefined && vpcId === undefined, "vpcId", "is missing, but vswitchId is set"),
    ...when(
      ipv6GatewayId !== undefined && (vpcId === undefined || ipv6 !== true),
      "ipv6GatewayId",
      "has no effect without vpcId and ipv6",
    ),
    ...when(
      // A vpcCidr that is at fault itself says nothing of the vSwitch.
      vpcId === undefined && vswitchId === undefined && vpcCidr !== "" && !within(vswitchCidr, vpcCidr),
      "vswitchCidr",
      "is not a part of vpcCidr of /16 to /29",
    ),
  ];
}

function without(values: PlainSettings, target: string, keys: readonly SettingKey[]): Problem[] {
  return keys.flatMap((key) => when(values[key] !== undefined, key, `has no effect with ${target}`));
}

/** Whether the vSwitch's network lies in the VPC's and has a size the cloud allows. */
function within(inner: string, outer: string): boolean {
  const [, innerBits] = inner.split("/");
  const [, outerBits] = outer.split("/");
  return Number(innerBits) >= Math.max(16, Number(outerBits)) && holds(outer, inner);
}
