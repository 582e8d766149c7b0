import { CloudflareZone, apiToken, zoneId } from "../support/cloudflare-zone";
import { textOf } from "../support/plain";
import { type ProgramRun, runAlicloud, runProgram, withModulesOfItsOwn } from "../support/program";
import { madeTunnelToken } from "../support/provider-answers";
import { optionsOf } from "../support/recorded-options";
import { arrivedFiles } from "../support/releases";
import { faultsOf } from "../support/settings";
import { tunnelToken } from "../support/least-apps";

const accountId = "0123456789abcdef0123456789abcdef";
const host = "cases.example.org";
const tunnel = {
  domain: "home.example.com",
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelHost: host,
};
const ids = { casecheckCloudflareAccountId: accountId, casecheckCloudflareZoneId: zoneId };
const made = { ...tunnel, ...ids, casecheckCloudflareApiToken: apiToken };
const guarded = { ...made, casecheckAccessEmails: '["jo@example.com","ada@example.org"]' };

const [provider, group, serviceToken] = [1, 2, 3].map((digit) => `f174e90a-fafe-4643-bbbc-4a0ed4fc841${digit}`);
const byProvider = { ...made, casecheckAccessIdentityProviders: JSON.stringify([provider]) };
const byGroup = { ...made, casecheckAccessGroups: JSON.stringify([group]) };
const byToken = { ...made, casecheckAccessServiceTokens: JSON.stringify([serviceToken]) };
const byAll = { ...guarded, ...byProvider, ...byGroup, ...byToken };

const ofCloudflare = ({ resources }: ProgramRun) =>
  resources.filter(({ type }) => /^(pulumi:providers:)?cloudflare/.test(type)).map(({ name }) => name);
const inputsOf = (run: ProgramRun, name: string) => run.resource(name).inputs;
const fullName = "cloudcode-test-casecheck-cloudflare";

// The firewall before the tunnel is in cloudflare-firewall.test.ts.
const zone = new CloudflareZone();
beforeAll(() => zone.open());
afterAll(() => {
  zone.close();
});

describe("the settings of a tunnel that Cloudflare makes", () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      "a lone account",
      { ...tunnel, casecheckCloudflareAccountId: accountId },
      ["casecheckCloudflareApiToken", "casecheckCloudflareZoneId"].map(
        (key) => `${key} is missing: the tunnel is created only with all three`,
      ),
    ],
    [
      "a token of a tunnel made by hand beside it",
      { ...made, casecheckTunnelToken: tunnelToken },
      ["casecheckTunnelToken has no effect together with casecheckCloudflareApiToken"],
    ],
    [
      "people whom a tunnel made by hand cannot ask for",
      { ...tunnel, casecheckTunnelToken: tunnelToken, casecheckAccessEmails: '["jo@example.com"]' },
      ["casecheckAccessEmails has no effect without casecheckCloudflareApiToken"],
    ],
    [
      "programs and groups that a tunnel made by hand cannot ask for",
      {
        ...tunnel,
        casecheckTunnelToken: tunnelToken,
        casecheckAccessGroups: JSON.stringify([group]),
        casecheckAccessServiceTokens: JSON.stringify([serviceToken]),
      },
      ["casecheckAccessGroups", "casecheckAccessServiceTokens"].map(
        (key) => `${key} has no effect without casecheckCloudflareApiToken`,
      ),
    ],
    ...["Google", "F174E90A-FAFE-4643-BBBC-4A0ED4FC8415", accountId].map(
      (id): [string, Record<string, string>, string[]] => [
        `${id} as an identity provider`,
        { ...made, casecheckAccessIdentityProviders: JSON.stringify([id]) },
        ["casecheckAccessIdentityProviders [0] is not an ID such as f174e90a-fafe-4643-bbbc-4a0ed4fc8415"],
      ],
    ),
    [
      "front ends elsewhere that Access keeps out",
      { ...byGroup, casecheckOrigins: '["https://cases.pages.dev"]' },
      [
        "casecheckOrigins has no effect with casecheckAccessGroups: Cloudflare Access lets no page of another site call the API",
      ],
    ],
    [
      "all of it behind Caddy",
      { ...byAll, casecheckPublished: "caddy" },
      [
        "casecheckTunnelHost",
        "casecheckCloudflareApiToken",
        "casecheckCloudflareAccountId",
        "casecheckCloudflareZoneId",
        "casecheckAccessEmails",
        "casecheckAccessIdentityProviders",
        "casecheckAccessGroups",
        "casecheckAccessServiceTokens",
      ].map((key) => `${key} has no effect while casecheckPublished is not tunnel`),
    ],
    [
      "a zone by name",
      { ...made, casecheckCloudflareZoneId: "example.org" },
      ["casecheckCloudflareZoneId is not an ID of Cloudflare: 32 digits of 0-9 and a-f"],
    ],
    [
      "a token of two words",
      { ...made, casecheckCloudflareApiToken: "Bearer x" },
      ["casecheckCloudflareApiToken is not an access token"],
    ],
    [
      "a person without a mail address",
      { ...made, casecheckAccessEmails: '["jo"]' },
      ["casecheckAccessEmails [0] is not a mail address"],
    ],
  ])("refuse %s", (_what, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it.each<[string, Record<string, string>]>([
    ["an API token with its account and zone", made],
    ["and the people whom Access lets in", guarded],
    ["and every other way through Access", byAll],
  ])("accept %s", (_what, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });
});

describe("a tunnel that Cloudflare makes", () => {
  let run: ProgramRun;
  beforeAll(async () => {
    run = await runProgram(guarded);
  });

  it("is one tunnel with its configuration, name and Access, by a provider of its own", () => {
    expect(ofCloudflare(run).sort()).toEqual([
      "casecheck-cloudflare-access",
      "casecheck-cloudflare-access-policy",
      "casecheck-cloudflare-config",
      "casecheck-cloudflare-name",
      "casecheck-cloudflare-provider",
      "casecheck-cloudflare-tunnel",
    ]);
    for (const name of ofCloudflare(run).filter((each) => each !== "casecheck-cloudflare-provider"))
      expect(optionsOf(run, name).provider).toBe("casecheck-cloudflare-provider");
  });

  it("is configured at Cloudflare: the host name leads to the pages, all else nowhere", () => {
    expect(inputsOf(run, "casecheck-cloudflare-tunnel")).toEqual({
      accountId,
      name: fullName,
      configSrc: "cloudflare",
    });
    expect(inputsOf(run, "casecheck-cloudflare-config")).toEqual({
      accountId,
      tunnelId: "casecheck-cloudflare-tunnel-id",
      source: "cloudflare",
      config: { ingresses: [{ hostname: host, service: "http://web:8080" }, { service: "http_status:404" }] },
    });
  });

  it("has its name last: a proxied CNAME to the tunnel, after the configuration and Access", () => {
    expect(inputsOf(run, "casecheck-cloudflare-name")).toEqual({
      zoneId,
      name: host,
      type: "CNAME",
      content: "casecheck-cloudflare-tunnel-id.cfargotunnel.com",
      proxied: true,
      ttl: 1,
    });
    expect(optionsOf(run, "casecheck-cloudflare-name").dependsOn).toEqual(
      expect.arrayContaining(["casecheck-cloudflare-access", "casecheck-cloudflare-config"]),
    );
  });

  it("lets in by Access those who are named, and nobody else", () => {
    expect(inputsOf(run, "casecheck-cloudflare-access-policy")).toEqual({
      accountId,
      name: fullName,
      decision: "allow",
      includes: [{ email: { email: "jo@example.com" } }, { email: { email: "ada@example.org" } }],
    });
    expect(inputsOf(run, "casecheck-cloudflare-access")).toEqual({
      accountId,
      name: fullName,
      type: "self_hosted",
      domain: host,
      sessionDuration: "24h",
      policies: [{ id: "casecheck-cloudflare-access-policy-id", precedence: 1 }],
    });
  });

  it.each<[string, Record<string, string>, object[], object[], object]>([
    ["an identity provider", byProvider, [{ loginMethod: { id: provider } }], [], { allowedIdps: [provider] }],
    ["a group", byGroup, [{ group: { id: group } }], [], {}],
    ["a service token", byToken, [], [{ serviceToken: { tokenId: serviceToken } }], { serviceAuth401Redirect: true }],
    [
      "each of them, and mail codes",
      byAll,
      [
        { email: { email: "jo@example.com" } },
        { email: { email: "ada@example.org" } },
        { group: { id: group } },
        { loginMethod: { id: provider } },
      ],
      [{ serviceToken: { tokenId: serviceToken } }],
      {},
    ],
  ])("lets in by Access who comes with %s, and nobody else", async (_what, settings, people, programs, rest) => {
    const other = await runProgram(settings);
    const policies = [
      { name: "casecheck-cloudflare-access-policy", decision: "allow", includes: people, called: fullName },
      {
        name: "casecheck-cloudflare-access-programs",
        decision: "non_identity",
        includes: programs,
        called: `${fullName}-programs`,
      },
    ].filter(({ includes }) => includes.length > 0);
    const made = ofCloudflare(other).filter((name) => name.includes("access-"));
    expect(made.sort()).toEqual(policies.map(({ name }) => name));
    for (const { name, called, ...policy } of policies)
      expect(inputsOf(other, name)).toEqual({ accountId, name: called, ...policy });
    expect(inputsOf(other, "casecheck-cloudflare-access")).toEqual({
      accountId,
      name: fullName,
      type: "self_hosted",
      domain: host,
      sessionDuration: "24h",
      policies: policies.map(({ name }, index) => ({ id: `${name}-id`, precedence: index + 1 })),
      ...rest,
    });
    // Before the name leads anywhere.
    expect(optionsOf(other, "casecheck-cloudflare-name").dependsOn).toContain("casecheck-cloudflare-access");
  });

  it("gives its token to cloudflared's file, and shows neither that nor the API token", async () => {
    const files = await arrivedFiles(run, "casecheck-release");
    expect(files.get("tunnel-token")).toMatchObject({ content: madeTunnelToken, uid: 65532, mode: 0o400 });
    expect(run.resource("casecheck-cloudflare-provider").secretInputs).toEqual(["apiToken"]);
    expect(run.resource("casecheck-release").secretInputs).toContain("stdin");
    expect(textOf(run.resource("casecheck-release").inputs["create"])).not.toContain(madeTunnelToken);
    // Those that call Cloudflare hold it, as secrets.
    const holders = ["provider", "end", "firewall"].map((part) => `casecheck-cloudflare-${part}`);
    const shown = JSON.stringify([run.outputs, run.resources.filter(({ name }) => !holders.includes(name))]);
    expect(shown).not.toContain(apiToken);
  });

  it("has its connections ended before it is deleted, whatever becomes of the machine", () => {
    const end = run.resource("casecheck-cloudflare-end");
    expect(optionsOf(run, "casecheck-cloudflare-end").dependsOn).toEqual(["casecheck-cloudflare-tunnel"]);
    expect(end.options.deletedWith).toBe("");
    expect(end.inputs).toEqual({
      delete: "node bin/cloudcode-hook.cjs end-connections",
      stdin: JSON.stringify({ accountId, tunnelId: "casecheck-cloudflare-tunnel-id", apiToken }),
      // Alone makes another of it: the end of the one before, of which another API token must not be the cause.
      triggers: ["casecheck-cloudflare-tunnel-id"],
      addPreviousOutputInEnv: false,
      logging: "stdout",
    });
    expect(end.secretInputs).toEqual(["stdin"]);
  });

  it("on Alibaba Cloud, where the machine takes its containers along without a connection, too", async () => {
    const cloud = await runAlicloud(guarded);
    expect(cloud.resource("casecheck-release").options.deletedWith).toContain("::host");
    expect(optionsOf(cloud, "casecheck-cloudflare-end").dependsOn).toEqual(["casecheck-cloudflare-tunnel"]);
    expect(cloud.resource("casecheck-cloudflare-end").options.deletedWith).toBe("");
  });

  it("is there before the containers that use it, whose removal it need not wait for: its connections are ended by then", () => {
    expect(optionsOf(run, "casecheck-release").dependsOn).toEqual(
      expect.arrayContaining(["casecheck-removal", "casecheck-cloudflare-tunnel"]),
    );
    expect(optionsOf(run, "casecheck-cloudflare-end").dependsOn).toEqual(["casecheck-cloudflare-tunnel"]);
  });

  it("can be previewed before any of it exists", async () => {
    const preview = await runProgram(guarded, { preview: true });
    expect(ofCloudflare(preview)).toHaveLength(6);
    expect(preview.calls).toEqual([]);
  });

  it("asks nobody where no people are named", async () => {
    expect(ofCloudflare(await runProgram(made)).filter((name) => name.includes("access"))).toEqual([]);
  });

  it.each([
    ["with a tunnel made by hand", { ...tunnel, casecheckTunnelToken: tunnelToken }],
    ["while CaseCheck is off", { ...guarded, casecheckEnabled: "false" }],
  ])("is not made %s, and its SDK is not loaded", async (_when, settings) => {
    const loaded = jest.fn();
    jest.doMock("@pulumi/cloudflare", loaded);
    const other = await withModulesOfItsOwn(() => runProgram(settings));
    jest.dontMock("@pulumi/cloudflare");
    expect(loaded).not.toHaveBeenCalled();
    expect(ofCloudflare(other)).toEqual([]);
    expect(other.calls).toEqual([]);
  });
});
