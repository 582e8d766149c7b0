import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { guardedChanges, isAllowed } from "../../scripts/preview/policy";
import { type Preview, type Step, actOf, parsePreview } from "../../cli/preview";

const real = (name: string): Preview => parsePreview(readFileSync(join(__dirname, "previews", `${name}.json`), "utf8"));

const parent = "urn:pulumi:example::cloudcode::cloudcode:index:Home$cloudcode:index:Host$";
const machine = `${parent}alicloud:ecs/instance:Instance::host-instance`;
const stepOf = (op: string, more: Partial<Step> = {}): Step => ({
  op,
  urn: machine,
  diffReasons: [],
  replaceReasons: [],
  ...more,
});
const previewOf = (...steps: readonly Step[]): Preview => ({
  steps: [...steps],
  diagnostics: [],
  changeSummary: { same: 0 },
});

describe("previews that the engine made", () => {
  const all = [
    ["the machine", "host-instance"],
    ["the data disk", "host-data-disk"],
    ["the public address", "host-address"],
  ];

  it.each(["new", "harmless"])("%s: nothing is refused", (name) => {
    expect(real(name).steps.length).toBeGreaterThan(0);
    expect(guardedChanges(real(name))).toEqual([]);
  });

  it("another image: the machine alone is replaced, and by what", () => {
    expect(guardedChanges(real("image"))).toEqual([
      { what: "the machine", name: "host-instance", act: "replaced", because: ["imageId", "systemDiskCategory"] },
    ]);
  });

  it.each(["elsewhere", "protected"])("%s: machine, disk and address are deleted", (name) => {
    const found = guardedChanges(real(name));
    expect(found.map(({ what, name }) => [what, name]).sort()).toEqual(all.toSorted());
    expect(new Set(found.map(({ act }) => act))).toEqual(new Set(["deleted"]));
  });
});

describe("any preview", () => {
  const guarded = ["ecs/instance:Instance", "ecs/ecsDisk:EcsDisk", "ecs/eipAddress:EipAddress"];
  const harmless = ["create", "import", "update", "same", "read", "refresh", "diff", "extend-parameterize"];
  const other = fc.constantFrom(
    "ecs/eipAssociation:EipAssociation",
    "ecs/ecsDiskAttachment:EcsDiskAttachment",
    "constructor",
  );
  const words = fc.array(fc.string());

  it("is refused for each step that takes one of the three away, and for what no engine of today does", () => {
    const op = fc.oneof(fc.constantFrom("replace", "delete", "discard", "create-replacement"), fc.string());
    fc.assert(
      fc.property(op, fc.constantFrom(...guarded), words, (op, type, replaceReasons) => {
        fc.pre(!harmless.includes(op));
        const step = stepOf(op, { urn: `${parent}alicloud:${type}::x`, replaceReasons });
        const found = guardedChanges(previewOf(stepOf("same"), step));
        expect(found).toEqual([expect.objectContaining({ name: "x", because: replaceReasons.toSorted() })]);
      }),
    );
  });

  it("is not refused for other resources, nor for steps that keep the three", () => {
    fc.assert(
      fc.property(
        fc.string(),
        other,
        fc.constantFrom(...harmless),
        fc.constantFrom(...guarded),
        (op, type, kept, one) => {
          const steps = [
            stepOf(op, { urn: `${parent}alicloud:${type}::x` }),
            stepOf(kept, { urn: `${parent}alicloud:${one}::y`, diffReasons: ["instanceType", "size"] }),
          ];
          expect(guardedChanges(previewOf(...steps))).toEqual([]);
        },
      ),
    );
  });

  it("is refused when the machine gets another image in place, which wipes its system disk", () => {
    const found = guardedChanges(previewOf(stepOf("update", { diffReasons: ["tags", "imageId"] })));
    expect(found).toEqual([{ what: "the machine", name: "host-instance", act: "wiped", because: ["imageId"] }]);
  });

  const backups = [
    ["alicloud:oss/bucket:Bucket::host-backups-bucket", "the backup bucket", "host-backups-bucket"],
    ["random:index/randomPassword:RandomPassword::backup-password", "the backup password", "backup-password"],
  ] as const;

  it.each(backups)("is refused when %s goes", (urn, what, name) => {
    for (const [op, act] of [
      ["delete", "deleted"],
      ["replace", "replaced"],
    ] as const)
      expect(guardedChanges(previewOf(stepOf(op, { urn: parent + urn })))).toEqual([{ what, name, act, because: [] }]);
    expect(guardedChanges(previewOf(stepOf("create", { urn: parent + urn })))).toEqual([]);
  });

  it("is refused when anything loses its protection, as deleteData does, whatever the engine calls that", () => {
    const protection = (before: boolean, after: boolean) => ({
      oldState: { protect: before },
      newState: { protect: after },
    });
    const op = fc.constantFrom("same", "update");
    const type = fc.constantFrom(
      ...guarded.map((one) => `alicloud:${one}`),
      "random:index/randomPassword:RandomPassword",
    );
    fc.assert(
      fc.property(op, type, (op, type) => {
        const urn = `${parent}${type}::x`;
        const found = guardedChanges(previewOf(stepOf(op, { urn, ...protection(true, false) })));
        expect(found).toEqual([expect.objectContaining({ name: "x", act: "unprotected" })]);
        for (const kept of [protection(true, true), protection(false, false), protection(false, true)])
          expect(guardedChanges(previewOf(stepOf(op, { urn, ...kept })))).toEqual([]);
      }),
    );
  });

  it("reads of a resource's state nothing but its protection", () => {
    const text = JSON.stringify({
      steps: [
        { op: "same", urn: machine, oldState: { protect: true, outputs: { key: "x" } }, newState: { inputs: {} } },
      ],
    });
    expect(parsePreview(text).steps).toEqual([
      stepOf("same", { oldState: { protect: true }, newState: { protect: false } }),
    ]);
  });

  it("counts each operation as something", () => {
    fc.assert(
      fc.property(fc.string(), (op) => {
        expect(["created", "changed", "replaced", "deleted", "unchanged"]).toContain(actOf(stepOf(op)));
      }),
    );
  });
});

describe("the label", () => {
  const changes = guardedChanges(real("image"));

  it("allow-replace allows, and no other", () => {
    expect(isAllowed(changes, ["bug", "allow-replace"])).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.string().filter((label) => label !== "allow-replace")), (labels) => {
        expect(isAllowed(changes, labels)).toBe(false);
        expect(isAllowed([], labels)).toBe(true);
      }),
    );
  });
});

it("refuses to judge what is no preview", () => {
  for (const text of ["", "error: no stack", '"text"', '{"steps":[{"op":"create"}]}', "[]"])
    expect(() => parsePreview(text)).toThrow("The Pulumi CLI printed no preview.");
});
