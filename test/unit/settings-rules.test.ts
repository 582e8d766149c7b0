import { minimal } from "../support/program";
import { faultsOf, messageOf, sentences } from "../support/settings";

const mail = { smtpAddress: "submission://smtp.example.com:587" };

describe("a combination of values that cannot work is told by the key to change", () => {
  it.each<[string, Record<string, string>]>([
    [
      "hostAddress is missing: the target existing needs the address of a host",
      { hostAddress: "", domain: "home.example.com" },
    ],
    ["hostPrivateKey is missing: the target existing needs a key to log in with", { hostPrivateKey: "" }],
    ["hostKey is missing: the host key is pinned, never trusted on first use", { hostKey: "" }],
    [
      "domain is missing: only an IPv4 hostAddress gives a name of its own (<address>.sslip.io)",
      { hostAddress: "host.example.com" },
    ],
    [
      "domain is missing: only an IPv4 hostAddress gives a name of its own (<address>.sslip.io)",
      { hostAddress: "2001:db8::7" },
    ],
    ["smtpAddress is missing, but smtpUsername or smtpPassword is set", { smtpUsername: "me", smtpPassword: "secret" }],
    ["smtpPassword is missing, but smtpUsername is set", { ...mail, smtpUsername: "me" }],
    ["smtpUsername is missing, but smtpPassword is set", { ...mail, smtpPassword: "secret" }],
    [
      "registryMirrors has no effect beside imageRegistry: set one of the two",
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
    ["opencodeSubdomain is already the subdomain of the login portal", { opencodeSubdomain: "auth" }],
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
