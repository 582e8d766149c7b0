import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { Home } from "../../index";
import { appKinds } from "../../components/apps/registry";
import { homeSettings } from "../../components/settings/arguments";
import type { Setting } from "../../components/settings/setting";
import { settingKeys, settingsTable } from "../../components/settings/table";
import { libraryTypes } from "../../scripts/library-types";
import type { HomeArgs } from "../../library";
import { configurations } from "../support/configurations";
import { hostKey, minimal, privateKey } from "../support/minimal";
import { useEngine } from "../support/program";
import { projectRoot } from "../support/project-root";
import { pricesOf } from "../support/prices";
import { RecordingMonitor, promiseOf } from "../support/recorder";
import { settingsOf } from "../support/settings";

jest.mock("../../components/alicloud/prices/ask", () => ({
  askPrices: (region: string, questions: readonly Record<string, string>[]) => pricesOf()(region, questions),
}));

const target = { kind: "existing", hostAddress: "203.0.113.7", hostKey, hostPrivateKey: privateKey } as const;

/** What a program that makes these declares, as the engine sees it. */
async function recorded(program: () => Promise<object>): Promise<RecordingMonitor> {
  const monitor = new RecordingMonitor({ randomness: "state" });
  useEngine(monitor, {});
  try {
    await pulumi.runtime.runInPulumiStack(program);
  } finally {
    await pulumi.runtime.disconnect();
  }
  return monitor;
}

describe("the arguments of a Home", () => {
  it("have the types that the table gives them", () => {
    expect(readFileSync(join(projectRoot, "library.d.ts"), "utf8")).toBe(libraryTypes());
  });

  it.each(configurations)("are the settings of a configuration, each by its key: %s", (_, given) => {
    const raw = { ...minimal, ...given };
    const settings = settingsOf(raw);
    const made = homeSettings(argumentsOf(raw));
    const plain = settingKeys.filter((key) => {
      const setting: Setting = settingsTable[key];
      return setting.secret !== true;
    });
    expect(plain.map((key) => [key, made.values[key]])).toEqual(plain.map((key) => [key, settings.values[key]]));
    const there = (one: typeof settings) => settingKeys.filter((key) => one.values[key] !== undefined);
    expect(there(made)).toEqual(there(settings));
  });

  it("switch on the Apps that are there, and OpenCode where none is named", () => {
    const on = (apps: HomeArgs["apps"]) => {
      const { values } = homeSettings({ target, apps });
      return appKinds.filter(({ enabled }) => values[enabled]).map(({ name }) => name);
    };
    expect(on(undefined)).toEqual(["opencode"]);
    expect(on({})).toEqual([]);
    expect(on({ casecheck: { memoryMiB: 512 } })).toEqual(["casecheck"]);
  });

  it("are refused all at once, each with its fault and an example, and no value", () => {
    const said = messageOf({
      target: { ...target, hostPrivateKey: "no key at all" },
      domain: "not a domain",
      apps: { opencode: { memoryMiB: 1 } },
    });
    expect(said).toContain("the configuration has 3 problems; nothing was touched.");
    for (const key of ["domain", "hostPrivateKey", "opencodeMemoryMiB"])
      expect(said).toMatch(new RegExp(`^  ${key} .+\\n    example: .+$`, "m"));
    expect(said).not.toContain("no key at all");
    expect(said).not.toContain("pulumi config");
  });

  it("take an output for a secret and for nothing else", async () => {
    const { values } = homeSettings({ target: { ...target, hostPrivateKey: pulumi.output(privateKey) } });
    expect(await promiseOf(values.hostPrivateKey ?? pulumi.output(""))).toBe(privateKey);
    expect(await pulumi.isSecret(values.hostPrivateKey ?? pulumi.output(""))).toBe(true);
    const address = pulumi.output("203.0.113.7") as unknown as string;
    expect(messageOf({ target: { ...target, hostAddress: address } })).toMatch(
      /^ {2}hostAddress is an output, but its value must be known before any resource is created/m,
    );
  });
});

describe("a Home in the program of somebody else", () => {
  it("takes a provider of theirs for all at the cloud, and makes none", async () => {
    const { recorded: resources } = await recorded(async () => {
      const provider = new alicloud.Provider("mine", { region: "ap-southeast-1" });
      const args: HomeArgs = { target: { kind: "alicloud" }, sshCidrs: ["198.51.100.4/32"] };
      return { ...(await new Home("home", args, { provider }).outputs) };
    });
    const atCloud = resources.filter(({ type }) => type.startsWith("alicloud:"));
    expect(atCloud.length).toBeGreaterThan(10);
    for (const { name, options } of atCloud) expect([name, options.provider]).toEqual([name, "mine"]);
    expect(resources.filter(({ type }) => type === "pulumi:providers:alicloud").map(({ name }) => name)).toEqual([
      "mine",
    ]);
  });

  it("stands where they put it, with all its resources, and tells its outputs by name", async () => {
    const said: unknown[] = [];
    const { recorded: resources } = await recorded(async () => {
      const group = new pulumi.ComponentResource("their:index:Group", "group");
      const home = new Home("theirs", { target, domain: "home.example.com" }, { parent: group });
      said.push(await promiseOf(pulumi.all([home.url, home.publicAddress])));
      said.push(await pulumi.isSecret(home.adminPassword), await pulumi.isSecret(home.url));
      return {};
    });
    expect(said).toEqual([["https://home.example.com", "203.0.113.7"], true, false]);
    const inside = resources.filter(({ urn }) => urn.includes("their:index:Group$cloudcode:index:Home$"));
    expect(inside.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["host", "docker-install", "opencode-release"]),
    );
  });

  it("is the only one of its stack", async () => {
    let fault: unknown;
    await recorded(async () => {
      await new Home("one", { target }).outputs;
      try {
        new Home("two", { target });
      } catch (error) {
        fault = error;
      }
      return {};
    });
    expect(String(fault)).toMatch(/A stack can have only one Home/);
  });
});

function messageOf(args: HomeArgs): string {
  try {
    homeSettings(args);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

/** The same settings as arguments: with their own types, those of target and Apps below them. */
function argumentsOf(raw: Readonly<Record<string, string>>): HomeArgs {
  const apps: Record<string, Record<string, unknown>> = {};
  const rest: Record<string, unknown> = {};
  for (const key of settingKeys) {
    const text = raw[key];
    const { type, default: standard }: Setting = settingsTable[key];
    const value = text === undefined ? standard : type === "string" ? text : (JSON.parse(text) as unknown);
    const kind = appKinds.find(({ settings }) => Object.hasOwn(settings, key));
    if (kind === undefined) {
      if (text !== undefined && key !== "target") rest[key] = value;
      continue;
    }
    const prefix = kind.enabled.replace(/Enabled$/, "");
    if (key === kind.enabled) {
      if (value === true) apps[prefix] ??= {};
    } else if (text !== undefined) {
      const own = key.slice(prefix.length);
      apps[prefix] ??= {};
      apps[prefix][own.charAt(0).toLowerCase() + own.slice(1)] = value;
    }
  }
  const { hostAddress, hostPort, hostUser, hostPrivateKey, hostWaitSeconds, ...others } = rest;
  const { hostKey: key, ...top } = others;
  const own = { hostAddress, hostPort, hostUser, hostPrivateKey, hostWaitSeconds, hostKey: key };
  // What is put together here by name, the compiler cannot follow; the test compares what comes out.
  return { target: { kind: "existing", ...own }, ...top, apps } as unknown as HomeArgs;
}
