import { readFileSync } from "node:fs";
import { join } from "node:path";
import { storageActions } from "../emulator/oss/operations";
import { policySchema } from "../emulator/policy";
import { products } from "../emulator/products";
import { projectRoot } from "../support/program";

/** Whether it is enough is seen by `npm run test:cloud`, which runs everything with it. */
describe.each(["docs/ram-policy.json", "docs/ram-policy-oss.json"])("%s", (file) => {
  const text = readFileSync(join(projectRoot, file), "utf8");
  const actions = policySchema.parse(JSON.parse(text)).Statement.flatMap((statement) => statement.Action);

  it("names each action once and none by a pattern", () => {
    expect(new Set(actions).size).toBe(actions.length);
    expect(actions.filter((action) => !/^[a-z]+:[A-Z]\w+$/.test(action))).toEqual([]);
  });

  it("names only actions that there are", () => {
    const ofProducts = Object.values(products).flatMap(({ name, actions }) =>
      Object.keys(actions).map((one) => `${name}:${one}`),
    );
    const known = [...ofProducts, ...storageActions.map((one) => `oss:${one}`)];
    expect(actions.filter((action) => !known.includes(action))).toEqual([]);
  });

  it("is short enough for a custom policy", () => {
    // https://www.alibabacloud.com/help/en/ram/product-overview/limits
    expect(text.length).toBeLessThanOrEqual(6144);
  });
});
