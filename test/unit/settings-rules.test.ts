import { minimal, minimalAlicloud } from "../support/minimal";
import { faultsOf, messageOf, sentences } from "../support/settings";

const mail = { smtpAddress: "submission://smtp.example.com:587" };

describe("a combination of values that cannot work is reported by the key to change", () => {
  it.each<[string, Record<string, string>]>([
    [
      "hostAddress is missing: the target existing needs the address of a host",
      { hostAddress: "", domain: "home.example.com" },
    ],
    ["hostPrivateKey is missing: the target existing needs a key to log in with", { hostPrivateKey: "" }],
    ["hostKey is missing: the host key is pinned, never trusted on first use", { hostKey: "" }],
    [
      "domain is missing: only an IPv4 hostAddress has a default domain (<address>.sslip.io)",
      { hostAddress: "host.example.com" },
    ],
    [
      "domain is missing: only an IPv4 hostAddress has a default domain (<address>.sslip.io)",
      { hostAddress: "2001:db8::7" },
    ],
    ["smtpAddress is missing, but smtpUsername or smtpPassword is set", { smtpUsername: "me", smtpPassword: "secret" }],
    ["sessionInactivity is longer than sessionLifetime (12h), so it would have no effect", { sessionLifetime: "12h" }],
    [
      "sessionRemembered is shorter than sessionLifetime (7d): a remembered device would have to sign in more often than another",
      { sessionRemembered: "2d" },
    ],
    ["smtpPassword is missing, but smtpUsername is set", { ...mail, smtpUsername: "me" }],
    ["smtpUsername is missing, but smtpPassword is set", { ...mail, smtpPassword: "secret" }],
    [
      "registryMirrors has no effect together with imageRegistry: set only one of the two",
      { imageRegistry: "registry.example.com", registryMirrors: '["https://mirror.example.com"]' },
    ],
    [
      "dockerAddressPool is not an IPv4 network of at least /20, room for 16 networks",
      { dockerAddressPool: "10.201.0.0/21" },
    ],
    [
      "dockerAddressPool is not an IPv4 network of at least /20, room for 16 networks",
      { dockerAddressPool: "fd00::/8" },
    ],
    ["opencodeSubdomain is already the subdomain of the sign-in portal", { opencodeSubdomain: "auth" }],
  ])("%s", (sentence, settings) => {
    expect(faultsOf(settings)).toEqual([sentence]);
  });

  it.each<[string, Record<string, string>]>([
    ["the least configuration", {}],
    ["a host by name with a domain", { hostAddress: "host.example.com", domain: "home.example.com" }],
    ["a mail server without login", mail],
    ["a mail server with login", { ...mail, smtpUsername: "me", smtpPassword: "secret" }],
    ["a private registry without mirrors", { imageRegistry: "registry.example.com:5000/mirror" }],
    ["an address pool with room for 16 networks", { dockerAddressPool: "10.201.0.0/20" }],
    ["a taken subdomain of an App that is off", { opencodeEnabled: "false", opencodeSubdomain: "auth" }],
  ])("%s is fine", (_what, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });
});

describe("a combination that cannot work on Alibaba Cloud is reported by the key to change", () => {
  const mainland =
    "is in mainland China, where a site without ICP filing is blocked: set icpFiled to true if domain has one, or use cn-hongkong or ap-southeast-1";
  const ours = "has no effect with the target alicloud";

  it.each<[string, Record<string, string>]>([
    [
      "sshCidrs is missing: it lists the networks that may connect to SSH on the machine; curl -4 https://ifconfig.me shows your address, add /32",
      { sshCidrs: "" },
    ],
    ["sshCidrs contains an IPv6 network, but ipv6 is false", { sshCidrs: '["203.0.113.0/24","2001:db8::/32"]' }],
    [`region ${mainland}`, { region: "cn-hangzhou" }],
    [`hostAddress ${ours}`, { hostAddress: "203.0.113.7" }],
    [`hostPrivateKey ${ours}`, { hostPrivateKey: minimal["hostPrivateKey"] ?? "" }],
    [`hostKey ${ours}`, { hostKey: minimal["hostKey"] ?? "" }],
    ["spotPriceLimitUsd has no effect unless charge is spot", { spotPriceLimitUsd: "0.02" }],
    [
      "power cannot be stopped to save money: a subscription is billed in any case",
      { power: "stopped", charge: "subscription" },
    ],
    [
      "finalSnapshot has no effect while deleteData is false: the data disk itself is kept",
      { finalSnapshot: "true", deleteData: "false" },
    ],
    ["vpcCidr overlaps with the networks of k3s", { vpcCidr: "10.40.0.0/13", vswitchCidr: "10.40.1.0/24" }],
    [
      "vpcCidr overlaps with dockerAddressPool",
      { vpcCidr: "172.16.0.0/12", vswitchCidr: "172.16.1.0/24", dockerAddressPool: "172.20.0.0/16" },
    ],
    ["vswitchCidr overlaps with the networks of k3s", { vpcId: "vpc-t4n0a1", vswitchCidr: "10.42.1.0/24" }],
    ["vpcId is missing, but vswitchId is set", { vswitchId: "vsw-t4n0a1" }],
    ["ipv6GatewayId has no effect without vpcId and ipv6", { ipv6GatewayId: "ipv6gw-t4n0a1", vpcId: "vpc-t4n0a1" }],
    ["vswitchCidr is not a part of vpcCidr of /16 to /29", { vpcCidr: "172.16.0.0/16" }],
    ["vswitchCidr is not a part of vpcCidr of /16 to /29", { vpcCidr: "172.16.0.0/24", vswitchCidr: "172.16.0.0/16" }],
    [
      "vswitchCidr is not a part of vpcCidr of /16 to /29",
      { vpcCidr: "172.16.0.0/12", vswitchCidr: "172.16.0.0/15", dockerAddressPool: "10.201.0.0/16" },
    ],
  ])("%s", (sentence, settings) => {
    expect(faultsOf(settings, minimalAlicloud)).toEqual([sentence]);
  });

  it.each<[string, Record<string, string>]>([
    ["the least configuration", {}],
    ["a mainland region with a filing", { region: "cn-hangzhou", icpFiled: "true", domain: "home.example.com" }],
    ["Hong Kong, without one", { region: "cn-hongkong" }],
    ["SSH by IPv6", { ipv6: "true", sshCidrs: '["2001:db8::/32"]' }],
    ["spot with a limit", { charge: "spot", spotPriceLimitUsd: "0.02" }],
    ["a stopped machine", { power: "stopped" }],
    ["a final snapshot of a disk that goes", { finalSnapshot: "true", deleteData: "true" }],
    ["an existing VPC and vSwitch", { vpcId: "vpc-t4n0a1", vswitchId: "vsw-t4n0a1" }],
    ["an existing VPC with an IPv6 gateway", { vpcId: "vpc-t4n0a1", ipv6: "true", ipv6GatewayId: "ipv6gw-t4n0a1" }],
    ["networks of a VPC that is there, which nobody asked for", { vpcId: "vpc-t4n0a1", vpcCidr: "10.42.0.0/16" }],
    ["a vSwitch as large as its VPC", { vpcCidr: "172.16.0.0/16", vswitchCidr: "172.16.0.0/16" }],
  ])("%s is fine", (_what, settings) => {
    expect(faultsOf({ budgetUsd: "500", ...settings }, minimalAlicloud)).toEqual([]);
  });
});

describe("what only Alibaba Cloud can do is reported where the host exists", () => {
  it.each<[string, Record<string, string>]>([
    ["power is stopped, but only the target alicloud can stop its machine", { power: "stopped" }],
    ...(
      [
        ["vpcId", "vpc-t4n0a1"],
        ["vswitchId", "vsw-t4n0a1"],
        ["ipv6GatewayId", "ipv6gw-t4n0a1"],
        ["hostImage", "m-t4n0a1"],
        ["restoreFromSnapshot", "s-t4n0a1"],
      ] as const
    ).map(([key, value]): [string, Record<string, string>] => [
      `${key} has no effect with the target existing`,
      { [key]: value },
    ]),
  ])("%s", (sentence, settings) => {
    expect(faultsOf(settings)).toEqual([sentence]);
  });

  it("asks nothing of a Target that is no known word", () => {
    expect(sentences(messageOf({ target: "aws" }))).toEqual(["target is neither alicloud nor existing"]);
  });
});

describe("several problems", () => {
  it("are all told at once, each once, and counted", () => {
    const message = messageOf({
      target: "existing",
      hostPort: "0",
      deleteData: "yes",
      hostKey: minimal["hostKey"] ?? "",
      colour: "blue",
    });
    expect(message).toMatch(/^the configuration has 5 problems; nothing was touched\.\n/);
    expect(sentences(message).map((sentence) => sentence.split(" ")[0])).toEqual([
      "colour",
      "deleteData",
      "hostPort",
      "hostAddress",
      "hostPrivateKey",
    ]);
  });

  it("do not include a rule about a key whose own value is at fault already", () => {
    expect(faultsOf({ smtpAddress: "nonsense", smtpUsername: "me", smtpPassword: "secret" })).toEqual([
      "smtpAddress is not a submission://, submissions:// or smtp:// address",
    ]);
    expect(faultsOf({ dockerAddressPool: "10.0.0.0/33" })).toHaveLength(1);
    expect(faultsOf({ hostAddress: "my host" })).toEqual(["hostAddress is neither an IP address nor a host name"]);
  });

  it("are one problem, in the singular, where there is one", () => {
    expect(messageOf({ ...minimal, hostPort: "0" })).toMatch(
      /^the configuration has 1 problem; nothing was touched\.\n/,
    );
  });
});
