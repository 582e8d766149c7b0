import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Project, type Service, composeConfig } from "../support/compose";
import { appStacks, configurations } from "../support/configurations";
import { hostTemplates } from "../support/page-host";
import { runProgram } from "../support/program";
import { type UnpackedStack, unpack } from "../support/releases";

/** Everything that a service of a drill may have in a compose file; the rest could lead out of the walls. */
const harmless = new Set(
  "image entrypoint command environment user read_only tmpfs working_dir init cap_add cap_drop security_opt healthcheck pids_limit stop_grace_period labels pull_policy restart oom_score_adj cpu_shares mem_limit memswap_limit depends_on volumes dns networks network_mode".split(
    " ",
  ),
);

describe.each(configurations)("the compose file of a drill, with %s", (_name, settings) => {
  const names = ["auth", "edge", ...appStacks(settings), ...(settings["notify"] ? ["notify"] : [])];
  const stacks: Record<string, UnpackedStack> = {};
  const living: Record<string, Project> = {};
  const drilled: Record<string, Project> = {};
  let services: [string, Service][] = [];

  beforeAll(async () => {
    const run = await runProgram(settings);
    for (const name of names) {
      const stack = unpack(run, `${name}-release`);
      stacks[name] = stack;
      living[name] = await composeConfig(stack.composeFile, stack.folder);
      const without = stack.text("plan").match(/(?<=^without ).*$/gm) ?? [];
      const words = ["--arg", "name", name, "--arg", "own", stack.folder, "--arg", "without", without.join("\n")];
      const most = ["--argjson", "most", String(512 << 20)];
      const output = execFileSync("jq", [...words, ...most, "--from-file", join(hostTemplates, "drill.jq")], {
        // As Compose prints it: its own output is a compose file again.
        input: JSON.stringify(living[name]).replaceAll("$", "$$$$"),
        encoding: "utf8",
      });
      const file = join(stack.folder, "compose.json");
      writeFileSync(file, output);
      drilled[name] = await composeConfig(file, stack.folder);
    }
    services = names.flatMap((name) =>
      Object.entries(drilled[name]?.services ?? {}).map(([own, one]): [string, Service] => [`${name}/${own}`, one]),
    );
  });
  afterAll(() => {
    for (const stack of Object.values(stacks)) stack.remove();
  });

  it("is one that Compose takes, and has the programs, settings and checks of the release", () => {
    expect(services.length).toBeGreaterThan(4);
    for (const [name, { image, environment, healthcheck }] of services) {
      const [stack = "", own = ""] = name.split("/");
      const its = living[stack]?.services[own];
      expect([name, image, environment, healthcheck]).toEqual([name, its?.image, its?.environment, its?.healthcheck]);
    }
  });

  it("starts what needs no internet: all but tunnels, Telegram by WebDAV, k3s and the notifier", () => {
    const left = names.flatMap((name) =>
      Object.keys(living[name]?.services ?? {}).flatMap((own) =>
        drilled[name]?.services[own] === undefined ? [`${name}/${own}`] : [],
      ),
    );
    const absent = ["casecheck/cloudflared", "notify/notifier", "notify/sign-ins", "tg-signer/web"];
    const never = ["lwsandbox/gateway", "lwsandbox/server", "lwsandbox/web"];
    expect(left.filter((name) => ![...absent, ...never].includes(name))).toEqual([]);
    for (const name of never.filter((one) => names.includes(one.split("/")[0] ?? ""))) expect(left).toContain(name);
    expect(left.includes("tg-signer/web")).toBe("tgSignerWebdavUrl" in settings && names.includes("tg-signer"));
  });

  it("has one network without a way out, no port, and of the host nothing but files of the release, read-only", () => {
    for (const name of names) {
      // The test calls every project so; where nothing starts, Compose needs no network.
      const walls = expect.objectContaining({ internal: true, name: "test_walls" }) as unknown;
      const starts = Object.keys(drilled[name]?.services ?? {}).length > 0;
      expect(Object.values(drilled[name]?.networks ?? {})).toEqual(starts ? [walls] : []);
      for (const volume of Object.values(drilled[name]?.volumes ?? {}))
        expect(volume).toEqual({ external: true, name: expect.stringContaining(`cloudcode-drill-${name}_`) as string });
    }
    for (const [name, service] of services) {
      const { networks, network_mode, volumes = [] } = service;
      expect([name, network_mode ?? Object.keys(networks ?? {})]).toEqual([
        name,
        network_mode === undefined ? ["walls"] : "none",
      ]);
      const folder = stacks[name.split("/")[0] ?? ""]?.folder ?? "?";
      for (const { type, source, read_only } of volumes)
        expect([name, type === "volume" || (source.startsWith(`${folder}/`) && read_only === true)]).toEqual([
          name,
          true,
        ]);
      expect(Object.keys(service).filter((key) => !harmless.has(key))).toEqual([]);
      expect([name, Number(service.mem_limit) <= 512 << 20]).toEqual([name, true]);
    }
  });
});
