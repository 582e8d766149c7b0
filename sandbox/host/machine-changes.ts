import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { type Say, run, until } from "../../cli/run";
import { withoutDocker } from "./packet-filter";

/** Where root notes what sandboxes changed on this machine, before it is changed. */
const notes = "/var/lib/cloudcode-sandbox/changes.json";
const filters = ["iptables", "ip6tables"] as const;
const switches = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/forwarding"];

const schema = z.object({
  /** Everything that apt installed for a sandbox. */
  packages: z.array(z.string()).default([]),
  /** What was there before a sandbox started Docker. */
  docker: z
    .object({
      filters: z.record(z.string(), z.string()),
      switches: z.record(z.string(), z.string()),
      bridge: z.boolean(),
      /** The program behind `iptables`, where another one was chosen. */
      iptables: z.string().optional(),
    })
    .optional(),
});
type Changes = z.infer<typeof schema>;

export function machineChanges(): Changes {
  return schema.parse(existsSync(notes) ? JSON.parse(readFileSync(notes, "utf8")) : {});
}

function note(change: Partial<Changes>): void {
  mkdirSync(dirname(notes), { recursive: true });
  writeFileSync(notes, JSON.stringify({ ...machineChanges(), ...change }), { mode: 0o600 });
}

/** Names of the packages that are installed. */
export async function installedPackages(): Promise<string[]> {
  const { stdout } = await run("dpkg-query", ["-W", "-f", "${db:Status-Abbrev} ${Package}\n"]);
  return stdout.split("\n").flatMap((line) => (line.startsWith("ii ") ? [line.split(/\s+/).at(-1) ?? ""] : []));
}

/** Notes which packages came, for {@link giveBack} to name. @param before the ones that were there */
export async function notePackages(before: readonly string[]): Promise<void> {
  const came = (await installedPackages()).filter((name) => !before.includes(name));
  note({ packages: [...new Set([...machineChanges().packages, ...came])] });
}

/** Notes how the machine's network is, before Docker changes it. An earlier note stays: it is of a Docker that was not given back. */
export async function noteNetwork(): Promise<void> {
  if (machineChanges().docker !== undefined) return;
  const saved = await Promise.all(filters.map(async (tool) => [tool, await rules(tool)] as const));
  const present = switches.filter((name) => existsSync(`/proc/sys/${name}`));
  note({
    docker: {
      filters: Object.fromEntries(saved),
      switches: Object.fromEntries(present.map((name) => [name, readFileSync(`/proc/sys/${name}`, "utf8").trim()])),
      bridge: existsSync("/sys/class/net/docker0"),
    },
  });
}

/** Notes which program `iptables` is, before another one is chosen. */
export async function noteIptables(): Promise<void> {
  const { docker } = machineChanges();
  const { stdout } = await run("update-alternatives", ["--query", "iptables"]);
  const [, iptables] = /^Value: (.+)$/m.exec(stdout) ?? [];
  if (docker && iptables !== undefined) note({ docker: { ...docker, iptables } });
}

const rules = (tool: string) =>
  run(`${tool}-save`, []).then(
    ({ stdout }) => stdout,
    () => "",
  );

/**
 * Ends the Docker that a sandbox started, once nothing is in it, and gives the machine's network back as it was; names the packages
 * that were installed, which other programs may use by now.
 */
export async function giveBack(say: Say): Promise<void> {
  const { docker, packages } = machineChanges();
  if (docker !== undefined) {
    const { stdout } = await run("docker", ["ps", "--all", "--quiet"]);
    const left = stdout.split("\n").filter(Boolean).length;
    if (left > 0) {
      say(`Docker, which a sandbox started, keeps running: it has ${left} containers.`);
      return;
    }
    await stopDocker(say);
    if (!docker.bridge && existsSync("/sys/class/net/docker0")) await run("ip", ["link", "delete", "docker0"]);
    for (const tool of filters) {
      const now = await rules(tool);
      const wanted = withoutDocker(now, docker.filters[tool] ?? "");
      if (now !== "") await run(`${tool}-restore`, [], { input: wanted });
    }
    if (docker.iptables !== undefined) await run("update-alternatives", ["--set", "iptables", docker.iptables]);
    for (const [name, value] of Object.entries(docker.switches)) writeFileSync(`/proc/sys/${name}`, value);
  }
  if (packages.length > 0)
    say(
      `Still installed, only for the sandbox: ${packages.join(" ")}. To remove them, run apt-get purge with these names.`,
    );
  if (docker !== undefined) note({ docker: undefined });
}

async function stopDocker(say: Say): Promise<void> {
  say("Stopping Docker, which a sandbox started");
  if (existsSync("/run/systemd/system")) {
    await run("systemctl", ["stop", "docker.socket", "docker.service"]);
    return;
  }
  const file = "/run/docker.pid";
  const pid = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  const runs = () => pid !== "" && existsSync(`/proc/${pid}/cmdline`) && /dockerd/.test(commandLine(pid));
  if (!runs()) return;
  process.kill(Number(pid), "SIGTERM");
  await until(
    60,
    () => Promise.resolve(!runs() || undefined),
    () => Promise.resolve(`dockerd (process ${pid}) does not stop.`),
  );
  rmSync(file, { force: true });
}

const commandLine = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
