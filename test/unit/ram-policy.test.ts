import { readFileSync } from "node:fs";
import { join } from "node:path";
import { askedAbout } from "@cloudcode/alicloud-emulator/authorization";
import { storageActions } from "@cloudcode/alicloud-emulator/oss/operations";
import { policySchema } from "@cloudcode/alicloud-emulator/policy";
import { products } from "@cloudcode/alicloud-emulator/products";
import { projectRoot } from "../support/project-root";

const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");
const statementsOf = (file: string) => policySchema.parse(JSON.parse(read(file))).Statement;
const isRead = (action: string) => /:(Describe|Get|List)/.test(action);

/** Whether it is enough is seen by `npm run test:cloud`, which runs everything with it. */
describe.each(["docs/ram-policy.json", "docs/ram-policy-oss.json", "docs/ram-policy-billing.json"])("%s", (file) => {
  const actions = statementsOf(file).flatMap((statement) => statement.Action);

  it("names each action once in a statement and none by a pattern", () => {
    for (const { Action } of statementsOf(file)) expect(new Set(Action).size).toBe(Action.length);
    expect(actions.filter((action) => !/^[a-z]+:[A-Z]\w+$/.test(action))).toEqual([]);
  });

  it("names only actions that there are", () => {
    const ofProducts = Object.values(products).flatMap(({ name, actions }) =>
      Object.entries(actions).map(([one, { right }]) => right ?? `${name}:${one}`),
    );
    const known = [...ofProducts, ...storageActions.map((one) => `oss:${one}`)];
    expect(actions.filter((action) => !known.includes(action))).toEqual([]);
  });

  it("is short enough for a custom policy", () => {
    // https://www.alibabacloud.com/help/en/ram/product-overview/limits
    expect(read(file).length).toBeLessThanOrEqual(6144);
  });

  it("leaves nothing open but reads and, of VPC, what is new", () => {
    const open = statementsOf(file).filter(({ Resource, Condition }) => Resource.includes("*") && !Condition);
    expect(open.flatMap(({ Action }) => Action).filter((action) => !isRead(action))).toEqual(
      file === "docs/ram-policy.json"
        ? [
            "vpc:AllocateEipAddress",
            "vpc:AllocateIpv6InternetBandwidth",
            "vpc:CreateIpv6Gateway",
            "vpc:CreateVSwitch",
            "vpc:CreateVpc",
          ]
        : [],
    );
  });
});

test("the first statement of docs/ram-policy.json is all that a preview needs: the reads", () => {
  const [first, ...more] = statementsOf("docs/ram-policy.json");
  expect(first?.Action.every(isRead)).toBe(true);
  expect(more.flatMap(({ Action }) => Action).filter(isRead)).toEqual([]);
});

test("what RAM is asked about is known of every action of the emulator", () => {
  const unknown = Object.values(products).flatMap(({ name, actions }) =>
    Object.keys(actions).filter((action) => askedAbout(name, action) === undefined),
  );
  expect(unknown).toEqual([]);
});
