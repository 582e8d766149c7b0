import { formerStacks, formerUrns } from "../support/former-state";
import { type ProgramRun, runAlicloud, runProgram } from "../support/program";

const account = { dnsZones: ["example.com"] };
const prefix = "urn:pulumi:test::cloudcode::";

/** A resource's own type and name, which stand at the end of each URN. */
const ownPart = (urn: string) => urn.split("$").at(-1)?.replace(prefix, "");

describe.each(formerStacks)("a stack $name of the releases without a Home", ({ name, kind, settings }) => {
  let run: ProgramRun;
  beforeAll(async () => {
    run = await (kind === "existing" ? runProgram(settings) : runAlicloud(settings, { account }));
  });
  const former = formerUrns(name).map((rest) => prefix + rest);
  const components = /cloudcode:index:(AlicloudHost|ExistingHost)::/;

  it("keeps each of its resources: exactly one of now has that URN as an alias, and is of the same type and name", () => {
    const kept = former.map((urn) => [
      urn,
      run.resources.filter(({ options }) => options.aliases.includes(urn)).map((one) => ownPart(one.urn)),
    ]);
    const wanted = former.map((urn) => [
      urn,
      [
        components.test(urn)
          ? urn.endsWith("::host")
            ? "cloudcode:index:Host::host"
            : ownPart(urn)?.replace("ExistingHost", "ExistingWorker")
          : ownPart(urn),
      ],
    ]);
    expect(kept).toEqual(wanted);
    expect(former.length).toBeGreaterThan(50);
  });

  it("gets the Home, and the network of a machine that is there already, which hold nothing of their own", () => {
    const created = run.resources.filter(
      ({ type, options }) => type !== "pulumi:pulumi:Stack" && !options.aliases.some((urn) => former.includes(urn)),
    );
    // Later than the Home.
    const later = [
      "command:local:Command::destroy-guard",
      "random:index/randomPassword:RandomPassword::edge-login-opencode",
      // Of a machine that is off, so that a notifier that was there would be removed later.
      "cloudcode:index:NotifierStack::notifier",
      "cloudcode:index:ComposeStack::notify",
      "command:local:Command::notify-removal",
    ];
    expect(
      created
        .map((one) => ownPart(one.urn))
        .filter((one) => !later.includes(one ?? ""))
        .sort(),
    ).toEqual([
      "cloudcode:index:Home::home",
      ...(kind === "existing" ? ["cloudcode:index:Network::host-network"] : []),
    ]);
  });
});
