import { rmSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../sandbox/sandbox";
import { type CloudWorld, domain } from "../cloud/world";
import { emptyProgram } from "./empty-program";
import type { Row } from "./main";
import { ratio, seconds } from "./timing";

const runs = 5;

/**
 * A preview of the cloud stack with a prod stack's settings, against programs without resources, in turns. What is not
 * deployed yet is made first, so that each preview finds nothing to do, as most of an operator's do. The account's prices are known from the
 * preview before, or are asked for again.
 */
export async function preview(world: CloudWorld): Promise<Row[]> {
  const { sandbox } = world;
  const mails = { adminEmail: "you@example.com", acmeEmail: "you@example.com" };
  sandbox.configure({ domain, ...mails, timeZone: "Asia/Singapore", opencodeEnabled: undefined });
  await world.up();
  const empty = await emptyProgram(sandbox, "empty");
  const withSdk = await emptyProgram(sandbox, "empty-sdk");

  const times = { ours: [] as number[], asking: [] as number[], empty: [] as number[], withSdk: [] as number[] };
  for (let turn = 0; turn < runs; turn++) {
    times.empty.push(await seconds(() => empty.preview()));
    times.withSdk.push(await seconds(() => withSdk.preview()));
    const preview = () => sandbox.pulumi(["preview", "--expect-no-changes"]);
    times.ours.push(await seconds(preview));
    rmSync(join(projectRoot, "node_modules/.cache/cloudcode/prices"), { recursive: true, force: true });
    times.asking.push(await seconds(preview));
  }
  return [
    {
      measure: "preview of the prod stack on the cloud / preview of an empty program",
      value: ratio(times.ours, times.empty),
      aim: "<= 1.5",
    },
    {
      measure: "preview of the prod stack on the cloud / preview of an empty program that imports @pulumi/pulumi",
      value: ratio(times.ours, times.withSdk),
      aim: "<= 1.2",
    },
    {
      measure: "the same where every price is asked for again",
      value: ratio(times.asking, times.withSdk),
      aim: "<= 1.5",
    },
  ];
}
