/** Run by `npm run compare:plugins`: the same calls of the engine to Pulumi's own plugins and to their stand-ins, and every difference. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { Secret, Unknown, isList, isMap, type Value, type ValueMap } from "../toolchain/stand-ins/plugin/values";
import { exitWith } from "../../../cli/exit";
import { reportDifferences } from "./report";
import { type Plugin, type PluginName, startPlugin } from "./plugin";

const usage =
  "usage: npm run compare:plugins -- --real DIR (a folder with pulumi-resource-command, pulumi-resource-random and pulumi-resource-tls, or some of them)";

type Step = readonly [name: string, look: (plugin: Plugin) => Promise<unknown>];

/** Differences that are known, by plugin and step: docs/testing.md tells them. */
const known: ReadonlySet<string> = new Set(
  [
    "random random:index/randomPassword:RandomPassword",
    "random random:index/randomBytes:RandomBytes",
    "random random:index/randomString:RandomString",
    "random random:index/randomId:RandomId",
    "tls tls:index/privateKey:PrivateKey",
  ]
    .map((type) => `${type}: check of inputs 3`)
    // A key of RSA, which the stand-in does not make.
    .concat("tls tls:index/privateKey:PrivateKey: check of inputs 6"),
);

const command = "command:local:Command";
const logging = ["stdout", "stderr", "stdoutAndStderr", "none"];

/** Inputs of each type and of none that fits. */
const oddInputs: readonly ValueMap[] = [
  {},
  { create: "true" },
  { create: new Secret("true"), stdin: new Unknown(), environment: { A: "b" }, triggers: ["1", new Unknown()] },
  { craete: "true" },
  { create: 3 },
  { create: true, update: ["x"], delete: { a: "b" } },
  { dir: new Secret({ a: "b" }), stdin: new Secret(4) },
  { environment: "A=b", interpreter: "sh", triggers: "1", addPreviousOutputInEnv: "no" },
  { environment: { A: 1 }, interpreter: [1] },
  { logging: "loud" },
];

const changes: readonly (readonly [ValueMap, ValueMap])[] = [
  [{ create: "a" }, { create: "a" }],
  [{ create: "a" }, { create: "b", stdin: "x" }],
  [{ create: "a", stdin: "x" }, { create: "a" }],
  [{ stdin: new Secret("x") }, { stdin: new Secret("x") }],
  [{ stdin: new Secret("x") }, { stdin: new Secret("y") }],
  [{ stdin: new Secret("x") }, { stdin: "x" }],
  [{ stdin: "x" }, { stdin: new Unknown() }],
  [{ triggers: ["1", "2"] }, { triggers: ["1", "3"] }],
  [{ triggers: ["1"] }, { triggers: ["1", "2"] }],
  [{}, { triggers: ["1"] }],
  [{ environment: { A: "b", "odd name": "c" } }, { environment: { A: "c", "odd name": "d" } }],
];

const commandSteps: readonly Step[] = [
  ...oddInputs.map((inputs, i): Step => [`check of inputs ${i + 1}`, (plugin) => checked(plugin, command, inputs)]),
  ...changes.map(([before, after], i): Step => [`diff ${i + 1}`, (plugin) => plugin.diff(command, before, after)]),
  ["preview", (plugin) => plugin.preview(command, { create: "echo a", stdin: new Secret("x") })],
  [
    "create",
    (plugin) =>
      plugin.create(command, { create: 'cat; echo "$A"', stdin: new Secret("in\n"), environment: { A: "b" } }),
  ],
  ["create of nothing", (plugin) => plugin.create(command, { update: "echo u" })],
  [
    "create, many lines",
    (plugin) => plugin.create(command, { create: "printf 'a\\r\\nb\\n\\n'; printf 'no end' >&2", dir: "/" }),
  ],
  ["create, bytes that are no text", (plugin) => plugin.create(command, { create: "printf '\\377\\000x'" })],
  [
    "create that ignores its input",
    (plugin) => plugin.create(command, { create: "exec true", stdin: "x".repeat(1_000_000) }).then(() => "done"),
  ],
  [
    "create by an interpreter",
    (plugin) => plugin.create(command, { create: "echo $0", interpreter: ["/bin/sh", "-e", "-c"] }),
  ],
  [
    "create by an interpreter that is not there",
    (plugin) => plugin.create(command, { create: "x", interpreter: ["/nonexistent/sh"] }),
  ],
  [
    "create by a program that is not there",
    (plugin) => plugin.create(command, { create: "x", interpreter: ["nonexistent-sh"] }),
  ],
  ["create in a folder that is not there", (plugin) => plugin.create(command, { create: "true", dir: "/nonexistent" })],
  ["create that fails", (plugin) => plugin.create(command, { create: 'echo "ü\t\u0001"; exit 3' })],
  ["create that is killed", (plugin) => plugin.create(command, { create: "kill -KILL $$" })],
  ["create that takes too long", (plugin) => plugin.create(command, { create: "exec sleep 20" }, 1)],
  [
    "update by create",
    (plugin) =>
      plugin.update(
        command,
        { stdout: "old", stderr: "e" },
        { create: "echo $PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR" },
      ),
  ],
  [
    "update by update",
    (plugin) => plugin.update(command, { stdout: "old", stderr: "e" }, { create: "false", update: "echo u" }),
  ],
  [
    "update with nothing to run",
    (plugin) => plugin.update(command, { stdout: "old", stderr: "e" }, { delete: "true" }),
  ],
  [
    "update that is not told the last output",
    (plugin) =>
      plugin.update(
        command,
        { stdout: "old", stderr: "e" },
        { create: "echo [$PULUMI_COMMAND_STDOUT]", addPreviousOutputInEnv: false },
      ),
  ],
  ["delete", (plugin) => plugin.delete(command, { create: "false", stdout: "", stderr: "" })],
  ["delete that fails", (plugin) => plugin.delete(command, { delete: "echo d; exit 4", stdout: "", stderr: "" })],
  [
    "read",
    (plugin) => plugin.read(command, "thing1", { create: "false", stdout: "a", stderr: "" }, { create: "false" }),
  ],
  ...logging.map((value): Step => [
    `what is shown, logging ${value}`,
    async (plugin) => {
      plugin.logged.length = 0;
      await plugin.create(command, { create: "echo out; sleep 0.2; echo err >&2", logging: value });
      await sleep(200);
      return [...plugin.logged];
    },
  ]),
];

const algorithms = ["ED25519", "ed25519", "RSA"];
const key = "tls:index/privateKey:PrivateKey";

/** Their order means nothing. */
async function checked(plugin: Plugin, type: string, inputs: ValueMap): Promise<unknown> {
  const { inputs: made, failures } = await plugin.check(type, inputs);
  return { inputs: made, failures: failures.sort() };
}

/** Steps of a resource that is made once, and lives in the state alone. */
function generated(type: string, least: ValueMap, variants: readonly ValueMap[]): Step[] {
  const all = [least, {}, { ...least, nonsense: 1 }, ...variants];
  return [
    ...all.map((inputs, i): Step => [`${type}: check of inputs ${i + 1}`, (plugin) => checked(plugin, type, inputs)]),
    ...variants.map((inputs, i): Step => [
      `${type}: diff ${i + 1}`,
      async (plugin) => plugin.diff(type, least, inputs, await plugin.create(type, least)),
    ]),
    [`${type}: preview`, (plugin) => plugin.preview(type, least)],
    [`${type}: create`, async (plugin) => masked(await plugin.create(type, least))],
    [
      `${type}: what comes after`,
      async (plugin) => {
        const state = await plugin.create(type, least);
        const { id } = state;
        const read = await plugin.read(type, typeof id === "string" ? id : "none", state, least);
        await plugin.delete(type, state);
        return { same: isDeepStrictEqual(read.state, state), id: read.id === id };
      },
    ],
  ];
}

const steps: Readonly<Record<PluginName, readonly Step[]>> = {
  command: commandSteps,
  random: [
    ...generated("random:index/randomPassword:RandomPassword", { length: 24 }, [
      { length: 25 },
      { length: 24, special: false },
      { length: 24, special: true },
      { length: 24, keepers: { a: "1" } },
      { length: 3, minLower: 4 },
      { length: 0 },
      { length: new Unknown() },
    ]),
    ...generated("random:index/randomBytes:RandomBytes", { length: 32 }, [{ length: 33 }, { length: 0 }]),
    ...generated("random:index/randomString:RandomString", { length: 8, special: false }, [
      { length: 9, special: false },
    ]),
    ...generated("random:index/randomId:RandomId", { byteLength: 4 }, [
      { byteLength: 5 },
      { byteLength: 4, prefix: "p" },
    ]),
  ],
  tls: generated(key, { algorithm: "ED25519" }, [
    ...algorithms.map((algorithm) => ({ algorithm })),
    { algorithm: "ED25519", rsaBits: 2048 },
  ]),
};

/** Words that are made again each time give way to how they look. */
function masked(value: Value): unknown {
  // Its characters may be any; how many there are may not.
  if (value instanceof Secret)
    return { secret: typeof value.value === "string" ? `${value.value.length} characters` : masked(value.value) };
  if (value instanceof Unknown) return "unknown";
  if (isList(value)) return value.map(masked);
  if (isMap(value)) {
    // The bridge's notes for itself, which nobody else reads.
    const entries = Object.entries(value).filter(([name]) => name !== "__pulumi_raw_state_delta");
    return Object.fromEntries(entries.map(([name, item]) => [name, masked(item)]));
  }
  if (typeof value !== "string") return value;
  return value.length < 5
    ? value
    : value
        .replace(/^([0-9a-f]{2}:)+[0-9a-f]{2}$/, (bytes) => `${bytes.split(":").length} bytes`)
        .replace(/[a-z]+/g, "a")
        .replace(/[A-Z]+/g, "A")
        .replace(/[0-9]+/g, "0")
        .replace(/[aA0+/=_-]{2,}/g, "~");
}

async function observe(name: PluginName, official?: string): Promise<Map<string, unknown>> {
  const plugin = await startPlugin(name, official);
  try {
    const seen = new Map<string, unknown>();
    for (const [step, look] of steps[name])
      seen.set(
        `${name} ${step}`,
        await look(plugin).catch((error: unknown) => ({
          error: error instanceof Error ? error.message : String(error),
        })),
      );
    return seen;
  } finally {
    plugin.stop();
  }
}

async function compare(name: PluginName, folder: string): Promise<number> {
  return reportDifferences(name, await observe(name, folder), await observe(name), known);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { real: { type: "string" }, help: { type: "boolean" } } });
  if (values.help === true || values.real === undefined) throw new Error(usage);
  const folder = resolve(values.real);
  const names = (["command", "random", "tls"] as const).filter((name) =>
    existsSync(join(folder, `pulumi-resource-${name}`)),
  );
  if (names.length === 0) throw new Error(`${folder} has no plugin\n${usage}`);
  let news = 0;
  for (const name of names) news += await compare(name, folder);
  return news === 0 ? 0 : 1;
}

exitWith(main());
