import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";

/** One resource's operation as the engine saw it, in seconds since the CLI was started. */
export interface Operation {
  readonly urn: string;
  readonly start: number;
  readonly end: number;
}

/** What a resource waits for. */
export interface Waits {
  /** Resources whose outputs are among its inputs: an order that no program can avoid. */
  readonly data: readonly string[];
  /** These, what the program orders by itself (`dependsOn`), and the parent, which has an order of its own. */
  readonly all: readonly string[];
  /** Whether a provider makes it; a component is only a name for its children. */
  readonly custom: boolean;
}

const metadata = z.object({ metadata: z.object({ urn: z.string(), op: z.string() }) });
const event = z.looseObject({ resourcePreEvent: metadata.optional(), resOutputsEvent: metadata.optional() });

/**
 * Runs the CLI with `--json` and notes when each resource's operation began and ended; the events themselves carry whole
 * seconds only. @throws Error unless the CLI exits with 0
 */
export async function timeline(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Operation[]> {
  const begun = process.hrtime.bigint();
  const now = () => Number(process.hrtime.bigint() - begun) / 1e9;
  const child = spawn(command, [...args, "--json"], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  const started = new Map<string, number>();
  const operations: Operation[] = [];
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const { resourcePreEvent: pre, resOutputsEvent: outputs } = event.parse(JSON.parse(line));
    if (pre && pre.metadata.op !== "same") started.set(pre.metadata.urn, now());
    const start = outputs && started.get(outputs.metadata.urn);
    if (start !== undefined) operations.push({ urn: outputs?.metadata.urn ?? "", start, end: now() });
  }
  const code = await exit;
  if (code !== 0) throw new Error(`pulumi ended with ${code ?? "a signal"}: ${lines.slice(-10).join("\n")}`);
  return operations;
}

const stateSchema = z.object({
  deployment: z.object({
    resources: z.array(
      z.object({
        urn: z.string(),
        custom: z.boolean(),
        parent: z.string().optional(),
        dependencies: z.array(z.string()).default([]),
        propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).default({}),
      }),
    ),
  }),
});

/** The graph in the output of `pulumi stack export`. */
export function graphOf(state: string): ReadonlyMap<string, Waits> {
  const { resources } = stateSchema.parse(JSON.parse(state)).deployment;
  return new Map(
    resources.map(({ urn, custom, parent, dependencies, propertyDependencies }) => [
      urn,
      {
        data: Object.values(propertyDependencies).flatMap((urns) => urns ?? []),
        all: parent === undefined ? dependencies : [...dependencies, parent],
        custom,
      },
    ]),
  );
}

/** Operations one after the other, and how long they take in all. */
export interface Chain {
  readonly seconds: number;
  readonly urns: readonly string[];
}

/** The longest way through the graph, each resource as long as its own operation; what has none takes no time. */
export function longestChain(operations: readonly Operation[], waitsOf: (urn: string) => readonly string[]): Chain {
  const own = new Map(operations.map(({ urn, start, end }) => [urn, end - start]));
  const known = new Map<string, Chain>();
  const longer = (a: Chain, b: Chain) => (b.seconds > a.seconds ? b : a);
  const none: Chain = { seconds: 0, urns: [] };
  const chainTo = (urn: string): Chain => {
    const done = known.get(urn);
    if (done) return done;
    const before = waitsOf(urn).map(chainTo).reduce(longer, none);
    const seconds = own.get(urn);
    const chain = seconds === undefined ? before : { seconds: before.seconds + seconds, urns: [...before.urns, urn] };
    known.set(urn, chain);
    return chain;
  };
  return operations.map(({ urn }) => chainTo(urn)).reduce(longer, none);
}
