import { openSandbox, removeSandbox } from "../../sandbox/sandbox";
import { World } from "../sandbox/world";
import { changes } from "./changes";
import { noOp } from "./no-op";
import { lostRequests } from "./requests";
import { session } from "./session";

/** One line of the result. */
export interface Row {
  readonly measure: string;
  readonly value: string;
  readonly aim: string;
}

const name = "bench";

/**
 * Everything in one run on one sandbox, as ratios and counts: absolute seconds say more of the machine than of the program.
 * Names of measures on the command line choose among them: `npm run bench -- noOp lostRequests`.
 */
async function main(): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  await removeSandbox(name, say);
  const world = new World();
  try {
    world.sandbox = await openSandbox(name, say);
    say("first up");
    await world.up();
    await session(world);
    const rows: Row[] = [];
    const wanted = process.argv.slice(2);
    const measures = [noOp, changes, lostRequests, memory];
    for (const measure of measures.filter(({ name: named }) => wanted.length === 0 || wanted.includes(named))) {
      say(`measuring ${measure.name}`);
      rows.push(...(await measure(world)));
    }
    console.log(
      [
        "| measure | value | aim |",
        "| --- | --- | --- |",
        ...rows.map((row) => `| ${row.measure} | ${row.value} | ${row.aim} |`),
      ].join("\n"),
    );
  } finally {
    await removeSandbox(name, say);
  }
}

async function memory(world: World): Promise<Row[]> {
  const names = ["cloudcode-edge-caddy-1", "cloudcode-auth-authelia-1", "cloudcode-auth-sessions-1"];
  const text = await world.onHost(`docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' ${names.join(" ")}`);
  const used = Object.fromEntries(
    text.split("\n").map((line) => [line.split(" ")[0] ?? "", mebibytes(line.split(" ")[1] ?? "")]),
  );
  const [caddy = 0, authelia = 0, sessions = 0] = names.map((container) => used[container]);
  return [
    {
      measure: "memory of Caddy + Authelia (+ their session store)",
      value: `${caddy.toFixed(0)} + ${authelia.toFixed(0)} (+ ${sessions.toFixed(0)}) MiB`,
      aim: "Caddy + Authelia <= 120 MiB",
    },
  ];
}

function mebibytes(text: string): number {
  const units: Record<string, number> = { KiB: 1 / 1024, MiB: 1, GiB: 1024 };
  const [, number = "0", unit = "MiB"] = /^([\d.]+)(\w+)$/.exec(text) ?? [];
  return Number(number) * (units[unit] ?? 1);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
