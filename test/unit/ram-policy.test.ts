import { readFileSync } from "node:fs";
import { join } from "node:path";
import { policySchema } from "../emulator/policy";
import { products } from "../emulator/products";
import { projectRoot } from "../support/program";

/** Whether it is enough is seen by `npm run test:cloud`, which runs everything with it. */
describe("docs/ram-policy.json", () => {
  const text = readFileSync(join(projectRoot, "docs", "ram-policy.json"), "utf8");
  const actions = policySchema.parse(JSON.parse(text)).Statement.flatMap((statement) => statement.Action);

  it("names each action once and none by a pattern", () => {
    expect(new Set(actions).size).toBe(actions.length);
    expect(actions.filter((action) => !/^[a-z]+:[A-Z]\w+$/.test(action))).toEqual([]);
  });

  it("names only actions that there are", () => {
    const known = Object.values(products).flatMap(({ name, actions }) =>
      Object.keys(actions).map((one) => `${name}:${one}`),
    );
    expect(actions.filter((action) => !known.includes(action))).toEqual([]);
  });

  it("is short enough for a custom policy", () => {
    // https://www.alibabacloud.com/help/en/ram/product-overview/limits
    expect(text.length).toBeLessThanOrEqual(6144);
  });
});
