import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { settingsOf } from "../support/settings";
import { zoneEntry } from "../../components/alicloud/resources/dns";
import { type ProgramRun, failureOf, runAlicloud } from "../support/program";
import { eipAddress } from "../support/provider-answers";
import { optionsOf } from "../support/recorded-options";

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}[a-z0-9]$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));

describe("zoneEntry", () => {
  it.each<[string, string, string[], ReturnType<typeof zoneEntry>]>([
    ["a name in a zone", "home.example.com", ["example.com"], { zone: "example.com", records: ["home", "*.home"] }],
    ["the zone itself", "example.com", ["example.com"], { zone: "example.com", records: ["@", "*"] }],
    [
      "the longest zone, wherever it stands in the list",
      "a.b.example.com",
      ["example.com", "b.example.com", "com"],
      { zone: "b.example.com", records: ["a", "*.a"] },
    ],
    ["a name deep in a zone", "a.b.example.com", ["example.com"], { zone: "example.com", records: ["a.b", "*.a.b"] }],
    ["no zone at all", "home.example.com", [], undefined],
    ["a zone that is a suffix within a label", "myexample.com", ["example.com"], undefined],
    ["a zone below the name", "example.com", ["home.example.com"], undefined],
    ["another zone", "home.example.com", ["example.org", "com.example"], undefined],
  ])("%s", (_what, domain, zones, entry) => {
    expect(zoneEntry(domain, zones)).toEqual(entry);
  });

  it("gives records which with their zone make up the domain and all below it", () => {
    fc.assert(
      fc.property(name, fc.array(name), fc.nat(3), (domain, others, cut) => {
        const parent = domain.split(".").slice(cut).join(".");
        const zones = [...others, ...(parent === "" ? [] : [parent])];
        const entry = zoneEntry(domain, zones);
        if (entry === undefined) {
          expect(zones.some((zone) => `.${domain}`.endsWith(`.${zone}`))).toBe(false);
          return;
        }
        const full = entry.records.map((record) => (record === "@" ? entry.zone : `${record}.${entry.zone}`));
        expect(full).toEqual([domain, `*.${domain}`]);
        const longer = zones.filter((zone) => zone.length > entry.zone.length);
        expect(longer.some((zone) => `.${domain}`.endsWith(`.${zone}`))).toBe(false);
      }),
    );
  });

  it("leaves the list of zones as it was", () => {
    const zones = Object.freeze(["com", "example.com"]);
    expect(zoneEntry("example.com", zones)?.zone).toBe("example.com");
    expect(zones).toEqual(["com", "example.com"]);
  });
});

describe("the records of the domain", () => {
  const steps = ({ outputs }: ProgramRun) => JSON.stringify(outputs["nextSteps"]?.value);

  it("are made where the zone is the account's, and depend on the address alone", async () => {
    const run = await runAlicloud({ domain: "home.example.com" }, { account: { dnsZones: ["com", "example.com"] } });
    for (const [record, rr] of [
      ["apex", "home"],
      ["wildcard", "*.home"],
    ]) {
      expect(run.resource(`host-dns-a-${record}`).inputs).toEqual({
        domainName: "example.com",
        rr,
        type: "A",
        value: eipAddress,
        ttl: 600,
      });
      expect(optionsOf(run, `host-dns-a-${record}`)).toEqual({
        parent: "host-dns",
        provider: "alicloud",
        onError: ["explain-alicloud-fault"],
        dependsOn: ["host-address", "host-leftovers"],
      });
    }
    expect(steps(run)).not.toContain("must point to");
  });

  it("are the operator's where it is not, with the command that waits for them", async () => {
    const run = await runAlicloud({ domain: "home.example.com" }, { account: { dnsZones: ["example.org"] } });
    expect(run.resources.filter(({ type }) => type.includes("AlidnsRecord"))).toEqual([]);
    expect(steps(run)).toContain(`home.example.com and *.home.example.com must point to ${eipAddress}`);
    expect(steps(run)).toContain(`npm run dns -- home.example.com ${eipAddress}`);
  });

  it("are left to the other host while this one waits for a home", async () => {
    const settings = { domain: "home.example.com", standby: "true" };
    const run = await runAlicloud(settings, { account: { dnsZones: ["example.com"] } });
    expect(run.resources.filter(({ type }) => type.includes("AlidnsRecord"))).toEqual([]);
    const free = { domain: "home.duckdns.org", domainToken: "01234567-89ab-cdef-0123-456789abcdef" };
    expect(settingsOf(free).freeName?.domain).toBe("home.duckdns.org");
    expect(settingsOf({ ...free, standby: "true" }).freeName).toBeUndefined();
  });

  it("are not asked for without a domain", async () => {
    const run = await runAlicloud({}, { account: { dnsZones: ["sslip.io"] } });
    expect(run.calls).toEqual([]);
    expect(run.resources.filter(({ type }) => type.includes("AlidnsRecord"))).toEqual([]);
    expect(steps(run)).not.toContain("npm run dns");
  });
});

describe("zones that cannot be listed", () => {
  const failing = (fault: string) => failureOf({ domain: "home.example.com" }, { account: { fault } });

  it.each([
    ["ErrorCode: InvalidAccessKeyId.NotFound\nRequestId: 1", /^Alibaba Cloud does not know the access key, or [^\n]+$/],
    [
      "ErrorCode: Forbidden.RAM AuthAction: alidns:DescribeDomains",
      /^The access key may not do alidns:DescribeDomains: /,
    ],
  ])("for %j are reported in one sentence with its fix", async (fault, sentence) => {
    expect(await failing(fault)).toMatchObject({ message: expect.stringMatching(sentence) as unknown });
  });

  it("are reported in the cloud's own words where nobody knows the cause, and never with a trace of the program", async () => {
    const unknown = await failing("the moon is full");
    expect(pulumi.RunError.isInstance(unknown)).toBe(true);
    expect(unknown).not.toHaveProperty("stack");
    expect(String(unknown)).toContain("the moon is full");
  });
});
