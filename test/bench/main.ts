import { setTimeout as sleep } from "node:timers/promises";
import type { Say } from "../../cli/run";
import { say } from "../../cli/say";
import { type Sandbox, openAlicloudSandbox, openSandbox, removeSandbox } from "../../sandbox/sandbox";
import { signIn } from "../sandbox/sign-in";
import { World } from "../sandbox/world";
import { backups } from "./backups";
import { changes } from "./changes";
import { cloudUp } from "./cloud-up";
import { firstSandbox, npmTest } from "./first-hour";
import { isolationCost } from "./isolation";
import { mebibytes } from "./mebibytes";
import { noOp } from "./no-op";
import { preview } from "./preview";
import { lostRequests } from "./requests";

/** One line of the result. */
export interface Row {
  readonly measure: string;
  readonly value: string;
  readonly aim: string;
}

/** A sandbox and what is measured on it, in this order. */
interface Ground {
  readonly measures: readonly string[];
  /** Gives each row once it is measured, so that a fault of a later one does not lose it. */
  readonly run: (wanted: readonly string[], give: (rows: readonly Row[]) => void) => Promise<void>;
}

const grounds: readonly Ground[] = [
  // Caddy alone, without a sandbox.
  alone(isolationCost),
  ground("bench", openSandbox, [noOp, changes, lostRequests, memory, backups, notifier], async (world) => {
    say("first up");
    await world.up();
    const { stdout } = await world.sandbox.pulumi(["stack", "output", "adminPassword", "--show-secrets"]);
    await signIn(world, "admin", stdout.trim());
  }),
  // The first up is a measure of its own here; the preview is one of what it made.
  ground("bench-cloud", openAlicloudSandbox, [cloudUp, preview]),
  alone(npmTest),
  alone(firstSandbox),
];

function alone(measure: () => Promise<Row[]>): Ground {
  return {
    measures: [measure.name],
    run: async (_wanted, give) => {
      give(await measure());
    },
  };
}

function ground<S extends Sandbox>(
  name: string,
  open: (name: string, say: Say) => Promise<S>,
  measures: readonly ((world: World<S>) => Promise<Row[]>)[],
  prepare: (world: World<S>) => Promise<void> = () => Promise.resolve(),
): Ground {
  const run: Ground["run"] = async (wanted, give) => {
    await removeSandbox(name, say);
    try {
      const world = new World<S>();
      world.sandbox = await open(name, say);
      await prepare(world);
      for (const measure of measures.filter((one) => wanted.includes(one.name))) {
        say(`measuring ${measure.name}`);
        give(await measure(world));
      }
    } finally {
      await removeSandbox(name, say);
    }
  };
  return { measures: measures.map((measure) => measure.name), run };
}

/**
 * Everything in one run, as ratios and counts: absolute seconds say more of the machine than of the program.
 * Names of measures on the command line choose among them: `npm run bench -- noOp cloudUp`.
 */
async function main(): Promise<void> {
  const known = grounds.flatMap(({ measures }) => measures);
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`no measure ${unknown.join(", ")}; there are ${known.join(", ")}`);
    process.exitCode = 1;
    return;
  }
  const wanted = named.length === 0 ? known : named;
  const rows: Row[] = [];
  try {
    for (const { measures, run } of grounds)
      if (measures.some((name) => wanted.includes(name))) await run(wanted, (measured) => rows.push(...measured));
  } finally {
    console.log(
      [
        "| measure | value | aim |",
        "| --- | --- | --- |",
        ...rows.map((row) => `| ${row.measure} | ${row.value} | ${row.aim} |`),
      ].join("\n"),
    );
  }
}

/** Memory of these containers, in MiB. */
async function used(world: World, names: readonly string[]): Promise<number[]> {
  const text = await world.onHost(`docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' ${names.join(" ")}`);
  const found = Object.fromEntries(
    text.split("\n").map((line) => [line.split(" ")[0] ?? "", mebibytes(line.split(" ")[1] ?? "")]),
  );
  return names.map((name) => found[name] ?? NaN);
}

async function memory(world: World): Promise<Row[]> {
  const gateway = await world.container("auth", "authelia");
  const names = ["cloudcode-edge-caddy-1", gateway, "cloudcode-auth-sessions-1"];
  const [caddy = 0, authelia = 0, sessions = 0] = await used(world, names);
  return [
    {
      measure: "memory of Caddy + Authelia (+ their session store)",
      value: `${caddy.toFixed(0)} + ${authelia.toFixed(0)} (+ ${sessions.toFixed(0)}) MiB`,
      aim: "Caddy + Authelia <= 120 MiB",
    },
  ];
}

/** The notifier and its reader of sign-ins, a minute after the up that brings them. */
async function notifier(world: World): Promise<Row[]> {
  await world.setSecrets({ notify: '["json://127.0.0.1:9/nobody"]' });
  await world.up();
  await sleep(60_000);
  const found = await used(world, ["cloudcode-notify-notifier-1", "cloudcode-notify-sign-ins-1"]);
  const value = `${found.map((one) => one.toFixed(0)).join(" + ")} MiB`;
  return [{ measure: "idle memory of the notifier + its reader of sign-ins", value, aim: "<= 60 MiB together" }];
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
