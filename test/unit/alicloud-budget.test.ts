import { failureOf, runAlicloud } from "../support/program";
import type { Estimate } from "../../components/alicloud/prices/estimate";
import { holdToBudget } from "../../components/alicloud/resources/budget-hook";
import { textOf } from "../support/plain";

const types = (...names: readonly string[]) => JSON.stringify(names);

describe("the budget of a host on Alibaba Cloud", () => {
  it("is refused before any resource where no type of the list fits, with each reason and both ways out", async () => {
    const said = String(await failureOf({ budgetUsd: "20", instanceTypes: types("ecs.e-c1m2.large") }, {}));
    expect(said).toContain("budgetUsd allows none of instanceTypes; nothing was touched.");
    expect(said).toContain("ecs.e-c1m2.large with cloud_essd_entry: 29.84 USD a month, above budgetUsd");
    expect(said).toContain("pulumi config set instanceTypes");
    expect(said).toContain("pulumi config set budgetUsd AMOUNT");
  });

  it("refuses what nobody prices by name, and names it as not counted where there is no limit", async () => {
    const account = { prices: { unpriced: ["ecs.c7.large"] } };
    const instanceTypes = types("ecs.c7.large");
    expect(String(await failureOf({ instanceTypes }, { account }))).toContain(
      "ecs.c7.large with cloud_essd: nobody prices instance ecs.c7.large",
    );
    const { outputs } = await runAlicloud({ instanceTypes, budgetUsd: "0" }, { account });
    expect(outputs["monthlyCost"]?.value).toMatchObject({ notCounted: ["instance ecs.c7.large"] });
  });

  it("holds for each machine that is bought or changed, not for one that stays what it is", async () => {
    const price = async (type: string): Promise<Estimate> =>
      Promise.resolve({
        currency: "USD",
        running: type === "ecs.c7.large" ? 70 : 29,
        stopped: 0,
        parts: [],
        unpriced: [],
        notCounted: [],
        listed: undefined,
      });
    const allowed = async (type: string): Promise<Estimate> => {
      const estimate = await price(type);
      if (estimate.running > 30) throw new Error("too dear");
      return estimate;
    };
    const costs = {
      choices: [],
      limit: { key: "budgetUsd", amount: 30 } as const,
      spot: undefined,
      of: price,
      allowed,
    };
    const inputs = (instanceType: string) => ({ instanceType, systemDiskCategory: "cloud_essd" });
    const [small, large] = [inputs("ecs.e-c1m2.large"), inputs("ecs.c7.large")];
    await expect(holdToBudget(costs, { newInputs: large })).rejects.toThrow("too dear");
    await expect(holdToBudget(costs, { newInputs: large, oldInputs: small })).rejects.toThrow("too dear");
    await holdToBudget(costs, { newInputs: large, oldInputs: large });
    await holdToBudget(costs, { newInputs: small, oldInputs: large });
    // A preview that does not know the type yet.
    await holdToBudget(costs, { newInputs: { systemDiskCategory: "cloud_essd" } });
    const { options } = (await runAlicloud()).resource("host-instance");
    expect(options.before).toEqual(["machine-in-budget", "machine-in-budget"]);
  });

  it("is in the account's currency", async () => {
    const account = { prices: { currency: "CNY" } };
    expect(String(await failureOf({ region: "cn-hongkong" }, { account }))).toContain(
      "the account is billed in CNY: set the most that a month may cost in CNY, as with `pulumi config set budget 220`",
    );
    const { outputs } = await runAlicloud({ region: "cn-hongkong", budget: "220" }, { account });
    expect(outputs["monthlyCost"]?.value).toMatchObject({ currency: "CNY" });
  });

  it("needs prices: a key without the right is reported in one sentence, and without a limit no price is needed", async () => {
    const fault = "ecs:DescribePrice: Forbidden.RAM: User not authorized AuthAction: ecs:DescribePrice";
    const account = { prices: { fault } };
    expect(String(await failureOf({}, { account }))).toContain(
      "prices cannot be asked, which budgetUsd needs: The access key may not do ecs:DescribePrice: add that action to the RAM policy of its user (the whole policy is docs/ram-policy.json), then run the command again. Without a limit (`pulumi config set budgetUsd 0`) prices are not needed.",
    );
    const { outputs } = await runAlicloud({ budgetUsd: "0" }, { account });
    expect(JSON.stringify(outputs["monthlyCost"]?.value)).toContain("instance ecs.e-c1m2.large");
  });

  it("puts no price into a resource: other prices, the same inputs", async () => {
    const inputsWith = async (prices: { readonly unpriced?: readonly string[] }) =>
      (await runAlicloud({ budgetUsd: "0" }, { account: { prices } })).resources.map(({ urn, inputs }) => [
        urn,
        inputs["stdin"] ?? null,
      ]);
    const texts = (all: Awaited<ReturnType<typeof inputsWith>>) =>
      all.filter(([urn]) => /host-(placement|type)$/.test(textOf(urn ?? "")));
    expect(texts(await inputsWith({ unpriced: ["ecs.t6-c1m2.large", "bandwidth"] }))).toEqual(
      texts(await inputsWith({})),
    );
  }, 120_000);
});
