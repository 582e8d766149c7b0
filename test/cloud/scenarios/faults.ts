import { type CloudAccount, type CloudWorld, upFailsWith } from "../world";

/** Each fault of an account gives one clear sentence, and the next `up` goes on from there. */
export function faults(world: CloudWorld, account: CloudAccount): void {
  test("with nothing in stock, up says what was tried where, before anything is bought", async () => {
    const words = await upFailsWith(world, account(), { kind: "soldOut" });
    for (const type of ["ecs.e-c1m2.large", "ecs.t6-c1m2.large", "ecs.u1-c1m2.large", "ecs.c7.large"])
      expect(words).toContain(type);
    expect(words).toContain("ap-southeast-1a");
    expect(words).toContain("pulumi config set");
    expect((await account().inventory()).filter(({ kind }) => ["instances", "disks", "eips"].includes(kind))).toEqual(
      [],
    );
  });

  test("with the first type sold out, the next in the list is taken", async () => {
    const soldOut = { kind: "soldOut", type: "ecs.e-c1m2.large" };
    const noQuota = { kind: "quota", action: "RunInstances" };
    expect(await upFailsWith(world, account(), [soldOut, noQuota])).toMatch(/quota/i);
    const { stdout } = await world.sandbox.pulumi(["stack", "export"]);
    expect(stdout).toMatch(/\\"instanceType\\":\\"ecs\.(t6|u1)-c1m2\.large\\"/);
  });

  test.each([
    ["a stock that is gone at the till", { kind: "noStock" }, /stock.*instanceTypes|instanceTypes.*stock/is],
    ["an account without balance", { kind: "insufficientBalance" }, /balance/i],
    ["an account under risk control", { kind: "riskControl" }, /risk|verif/i],
    [
      "a missing permission",
      {
        kind: "error",
        action: "RunInstances",
        status: 403,
        code: "Forbidden.RAM",
        message: "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
      },
      /ram-policy|permission|policy/i,
    ],
    ["no address left", { kind: "quota", action: "AllocateEipAddress" }, /quota/i],
  ])("%s is reported in a sentence", async (_what, fault, sentence) => {
    expect(await upFailsWith(world, account(), fault)).toMatch(sentence);
  });

  test("no address is paid for while there is no machine", async () => {
    // The quota on addresses above was met only after the machine was there.
    expect((await account().inventory()).filter(({ kind }) => kind === "eips")).toEqual([]);
    await account().one("instances");
  });
}
