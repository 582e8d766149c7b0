import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { cacheDir } from "../../cli/cache";
import { type Preview, actOf, nameOf, parsePreview, typeOf } from "../../cli/preview";
import { CommandError, run } from "../../cli/run";
import { type PreparedPulumi, preparePulumi } from "../../packages/offline-kit/toolchain";
import { Stack } from "../../sandbox/stack";
import { type FormerStack, formerStacks, formerUrns } from "../support/former-state";
import { hostKey, minimal, minimalAlicloud, privateKey } from "../support/minimal";
import { runAlicloud, runProgram, secretKeys } from "../support/program";
import { projectRoot } from "../support/project-root";
import type { RecordedResource } from "../support/recorder";
import { stateOf } from "../support/state";

// The first run of all may have to build the engine and the provider.
jest.setTimeout(1_800_000);

let engine: PreparedPulumi;
let folder: string;
beforeAll(async () => {
  engine = await preparePulumi({ cacheDir, say: () => undefined, alicloud: true });
  folder = mkdtempSync(join(tmpdir(), "home-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Keys of nobody, and no answer from anywhere: a preview of what is in the state asks nothing. */
const nobody = {
  ALICLOUD_ACCESS_KEY: "nobody",
  ALICLOUD_SECRET_KEY: "nothing",
  CHECKPOINT_DISABLE: "1",
};

/** There is no plugin of Cloudflare here; and for a domain, IPv6 or a budget the account is asked. */
function withoutLookups({ settings, kind }: FormerStack): Record<string, string> {
  const unknown = /^(domain|ipv6|casecheck.*)$/;
  return {
    ...Object.fromEntries(Object.entries(settings).filter(([key]) => !unknown.test(key))),
    ...(kind === "existing" ? {} : { budgetUsd: "0" }),
  };
}

const prefix = "urn:pulumi:test::cloudcode::";

/** The former URN of a resource of now. */
function formerOf({ urn, options }: RecordedResource, former: ReadonlySet<string>): string {
  return options.aliases.find((alias) => former.has(alias)) ?? urn;
}

describe.each(formerStacks)("a stack $name of the releases without a Home", (stack) => {
  const { name, kind } = stack;
  const settings = withoutLookups(stack);
  const former = new Set(formerUrns(name).map((rest) => prefix + rest));

  it.each([
    ["as it is", /^$/],
    ["after an `up` that ended halfway", /^cloudcode:|^pulumi:providers:|^tls:|^random:|network|reachable/],
  ])("keeps all it has in a preview of the real engine: %s", async (_, registered) => {
    const { resources } = await (kind === "existing" ? runProgram(settings) : runAlicloud(settings));
    const isNew = (one: RecordedResource) => one.options.parent !== "" && !former.has(formerOf(one, former));
    const kept = resources.filter((one) => !isNew(one) || registered.test(`${one.type} ${one.name}`));
    const urns = new Map(
      kept.map((one) => [one.urn, registered.test(`${one.type} ${one.name}`) ? one.urn : formerOf(one, former)]),
    );
    const subject = await stackWith(settings, stateOf(kept, urns));
    const { stdout } = await subject.pulumi(["preview", "--json", "--show-sames"]);
    const preview = parsePreview(stdout);
    expect(acts(preview, "replaced", "deleted")).toEqual([]);
    const created = resources.filter((one) => !urns.has(one.urn)).map((one) => `${one.type} ${one.name}`);
    expect(acts(preview, "created")).toEqual(created.sort());
    expect(preview.steps.length).toBeGreaterThan(40);
  });
});

/** A stack with this configuration and this state. */
async function stackWith(settings: Readonly<Record<string, string>>, state: string): Promise<Stack> {
  const own = mkdtempSync(join(folder, "stack-"));
  mkdirSync(join(own, "state"));
  const secret = Object.fromEntries(Object.entries(settings).filter(([key]) => secretKeys.includes(key)));
  const template = join(own, "template.yaml");
  const plain = Object.entries(settings).filter(([key]) => !secretKeys.includes(key));
  const config = Object.fromEntries(plain.map(([key, value]) => [`cloudcode:${key}`, value]));
  writeFileSync(template, stringify({ config }));
  const subject = new Stack(own, engine, nobody, { name: "test", project: projectRoot, template });
  await subject.create({}, secret);
  await subject.pulumi(["stack", "import"], { input: state });
  return subject;
}

describe("the policy pack", () => {
  const pack = ["--policy-pack", join(projectRoot, "packages/policy-pack")];
  const guarded = { ...minimalAlicloud, power: "stopped", budgetUsd: "0" };
  let subject: Stack;
  beforeAll(async () => {
    const { resources } = await runAlicloud({ ...guarded, protectMachine: "true" });
    const urns = new Map(resources.map(({ urn }) => [urn, urn]));
    subject = await stackWith({ ...guarded, protectMachine: "true" }, stateOf(resources, urns));
  });

  it("lets a guarded stack pass", async () => {
    const { stdout } = await subject.pulumi(["preview", ...pack]);
    expect(stdout).toMatch(/cloudcode@v0\.1\.0/);
  });

  it.each([
    ["the machine", "protectMachine", "false", "machine-stays"],
    ["the data disk", "deleteData", "true", "data-disk-stays"],
  ])("refuses a change that leaves %s unguarded, before it is made", async (_, key, value, broken) => {
    subject.configure({ [key]: value });
    const fault: unknown = await subject
      .pulumi(["up", "--yes", "--skip-preview", ...pack])
      .catch((error: unknown) => error);
    subject.configure({ protectMachine: "true", deleteData: undefined });
    if (!(fault instanceof CommandError)) throw new Error("the pack let it pass");
    const said = `${fault.output.stdout}${fault.output.stderr}`;
    expect(said).toContain(`[mandatory]  ${broken}  `);
    expect(said).toContain(`\`pulumi config set ${key} ${value === "true" ? "false" : "true"}\` guards it`);
  });
});

function acts(preview: Preview, ...which: readonly string[]): string[] {
  const isDefault = /^pulumi:providers:\w+ default/;
  return preview.steps
    .filter((step) => which.includes(actOf(step)))
    .map((step) => `${typeOf(step)} ${nameOf(step)}`)
    .filter((one) => !isDefault.test(one))
    .sort();
}

describe("the package", () => {
  const env = () => ({
    ...engine.env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "example",
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  });
  const pulumi = async (cwd: string, ...words: readonly string[]) =>
    (await run(engine.pulumi, [...words, "--non-interactive", "--cwd", cwd], { env: env() })).stdout;

  /** An example as its reader has it: the packages of npm next to it, and cloudcode as one of them. */
  function example(name: string): string {
    const place = join(folder, name);
    cpSync(join(projectRoot, "examples", name), place, { recursive: true });
    mkdirSync(join(place, "node_modules"));
    for (const one of readdirSync(join(projectRoot, "node_modules")))
      if (!one.startsWith(".")) symlinkSync(join(projectRoot, "node_modules", one), join(place, "node_modules", one));
    const own = join(place, "node_modules", "cloudcode");
    rmSync(own, { force: true, recursive: true });
    mkdirSync(own);
    // As npm unpacks a dependency from git: without packages of its own.
    for (const one of [
      "bin",
      "components",
      "stack-templates",
      "index.ts",
      "library.cjs",
      "library.d.ts",
      "package.json",
    ])
      cpSync(join(projectRoot, one), join(own, one), { recursive: true });
    return place;
  }

  it("makes a Home in a program of somebody else", async () => {
    const place = example("library");
    await pulumi(place, "stack", "init", "dev");
    await pulumi(place, "config", "set", "hostAddress", minimal["hostAddress"] ?? "");
    await pulumi(place, "config", "set", "hostKey", hostKey);
    await run(engine.pulumi, ["config", "set", "--secret", "hostPrivateKey", "--cwd", place], {
      env: env(),
      input: privateKey,
    });
    const said = await pulumi(place, "preview", "--json");
    const created = acts(parsePreview(said), "created");
    expect(created).toEqual(
      expect.arrayContaining([
        "cloudcode:index:ComposeStack casecheck",
        "cloudcode:index:ComposeStack opencode",
        "cloudcode:index:Home home",
        "cloudcode:index:Host host",
        "command:local:Command opencode-release",
      ]),
    );
    expect(created).not.toContain("cloudcode:index:ComposeStack donation");
    // The hooks are found from the folder of that program.
    expect(said).toContain("exec node node_modules/cloudcode/bin/cloudcode-hook.cjs reach");
    // The SDK's debug messages quote secret outputs. That of the stack itself comes before the program.
    const told = await pulumi(place, "preview", "--debug");
    expect(new Set(told.match(/RPC finished: \S+/g))).toEqual(
      new Set(["RPC finished: resource:my-home-dev[pulumi:pulumi:Stack];"]),
    );
  });

  it("has outputs that a second program reads", async () => {
    const { outputs } = await runProgram({ domain: "home.example.com" });
    const place = example("reader");
    await pulumi(join(folder, "library"), "stack", "init", "live");
    const urn = "urn:pulumi:live::my-home::pulumi:pulumi:Stack::my-home-live";
    const shown = Object.entries(outputs).map(([key, { value, secret }]) => [
      key,
      secret
        ? { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(value) }
        : value,
    ]);
    const { encryptionsalt: salt } = z
      .object({ encryptionsalt: z.string() })
      .parse(parse(readFileSync(join(folder, "library", "Pulumi.live.yaml"), "utf8")));
    const state = {
      version: 3,
      deployment: {
        secrets_providers: { type: "passphrase", state: { salt } },
        manifest: { time: "2026-11-01T00:00:00Z", magic: "", version: "" },
        resources: [{ urn, custom: false, type: "pulumi:pulumi:Stack", outputs: Object.fromEntries(shown) as object }],
      },
    };
    await run(engine.pulumi, ["stack", "import", "--stack", "live", "--cwd", join(folder, "library")], {
      env: env(),
      input: JSON.stringify(state),
    });
    await pulumi(place, "stack", "init", "dev");
    await pulumi(place, "config", "set", "home", "organization/my-home/live");
    await pulumi(place, "up", "--yes", "--skip-preview");
    expect(JSON.parse(await pulumi(place, "stack", "output", "--json"))).toEqual({
      pages: ["https://home.example.com", "https://code.home.example.com"],
      password: "[secret]",
    });
  });
});
