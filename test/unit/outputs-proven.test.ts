import * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import { proven } from "../../components/outputs";

const told = (urn: Promise<string>) => proven({ reachable: { urn: pulumi.output(urn) } }, pulumi.output("new"));
const settled = (output: pulumi.Output<string>) =>
  Promise.race([new Promise<string>((resolve) => output.apply(resolve)), sleep(200, "nothing")]);

describe("an output that is made of the way to the host", () => {
  it("is not known before that is proved, so that those of the last up stay", async () => {
    expect(await settled(told(new Promise(() => undefined)))).toBe("nothing");
    expect(await settled(told(Promise.resolve("urn:…::host-reachable")))).toBe("new");
  });

  it("is known at once while the machine is switched off", async () => {
    expect(await settled(proven({ reachable: undefined }, pulumi.output("new")))).toBe("new");
  });
});
