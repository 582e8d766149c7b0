import { type ProgramRun, runAlicloud } from "../../../test/support/program";
import { rules } from "../rules";

/** What each rule says against the resources of a stack, by the rule's name. */
function said(run: ProgramRun): Record<string, string[]> {
  return Object.fromEntries(
    rules.map(({ name, faults }) => [
      name,
      run.resources.flatMap(({ urn, inputs, options }) => faults({ urn, props: inputs, protect: options.protect })),
    ]),
  );
}

const nothing = { "machine-stays": [], "data-disk-stays": [], "address-stays": [] };
const workers = {
  lwsandboxEnabled: "true",
  lwsandboxWorkers: "2",
  instanceTypes: '["ecs.e-c1m2.xlarge"]',
  budgetUsd: "999",
};

describe("the pack, against what the program declares", () => {
  it("finds nothing on a protected machine, whose workers may go", async () => {
    expect(said(await runAlicloud({ protectMachine: "true", ...workers }))).toEqual(nothing);
  });

  it("names machine and address that are not protected, and what protects them", async () => {
    const found = said(await runAlicloud({ protectMachine: "false" }));
    expect(found["data-disk-stays"]).toEqual([]);
    for (const [rule, what] of [
      ["machine-stays", "the machine"],
      ["address-stays", "the public address"],
    ] as const)
      expect(found[rule]).toEqual([
        `${what} is not protected, so that the next change may delete or replace it: \`pulumi config set protectMachine true\` guards it.`,
        `${what} can be deleted in the console.`,
      ]);
  });

  it("names a data disk that is given up", async () => {
    const found = said(await runAlicloud({ protectMachine: "true", deleteData: "true" }));
    expect(found).toEqual({
      ...nothing,
      "data-disk-stays": [
        "the data disk is not protected, so that the next change may delete or replace it: `pulumi config set deleteData false` guards it.",
        "the data disk would take its snapshots with it.",
      ],
    });
  });

  it("is about a Home's own resources, wherever it stands, and about no others", () => {
    const at = (chain: string) =>
      rules.flatMap(({ faults }) => faults({ urn: `urn:pulumi:s::p::${chain}::x`, props: {}, protect: false }));
    const type = "alicloud:ecs/instance:Instance";
    expect(at(`their:index:Group$cloudcode:index:Home$cloudcode:index:Host$${type}`)).toHaveLength(2);
    expect(at(`cloudcode:index:Home$cloudcode:index:Host$cloudcode:index:AlicloudWorker$${type}`)).toEqual([]);
    expect(at(type)).toEqual([]);
  });
});
