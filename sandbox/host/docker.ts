import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { aptInstall, mayInstall } from "./apt";
import { noteIptables, noteNetwork } from "./machine-changes";
import { run, succeeds, until } from "../../cli/run";
import type { Say } from "../../cli/run";

const LOG = "/var/log/cloudcode-dockerd.log";

/**
 * Makes sure that this machine has a Docker that answers: a running one is used as it is; otherwise, as root on
 * Debian or Ubuntu, the distribution's Docker is installed and started.
 */
export async function ensureDocker(say: Say): Promise<void> {
  if (await answers()) return;
  if (!mayInstall()) {
    throw new Error(
      "The sandbox needs a running Docker: `docker info` must succeed. Start yours (or join the group docker), " +
        "or run this as root on Debian or Ubuntu, where it installs Docker itself.",
    );
  }
  await noteNetwork();
  if (!existsSync("/usr/sbin/dockerd") && !existsSync("/usr/bin/dockerd")) await aptInstall(await packages(), say);
  say("Starting Docker on this machine");
  if (existsSync("/run/systemd/system")) {
    await run("systemctl", ["start", "docker"]);
    await until(60, running, () =>
      Promise.resolve("Docker was started by systemd but does not answer: see `journalctl -u docker`."),
    );
    return;
  }
  await startByHand();
}

const answers = () => succeeds("docker", ["info"], { timeoutMs: 20_000 });
const running = async () => (await answers()) || undefined;

/** Debian 13 splits the client from the engine; before that `docker-cli` does not exist. */
async function packages(): Promise<string[]> {
  const split = await run("apt-cache", ["policy", "docker-cli"]).then(
    ({ stdout }) => /Candidate: \d/.test(stdout),
    () => false,
  );
  return ["docker.io", "iptables", "ca-certificates", ...(split ? ["docker-cli"] : [])];
}

async function startByHand(): Promise<void> {
  if (await launch()) return;
  // A kernel without nf_tables refuses Debian's default iptables, and dockerd ends at once.
  if (logTail().includes("iptables") && existsSync("/usr/sbin/iptables-legacy")) {
    await noteIptables();
    await run("update-alternatives", ["--set", "iptables", "/usr/sbin/iptables-legacy"]);
    if (await launch()) return;
  }
  throw new Error(`dockerd ended at once; the last lines of ${LOG}:\n${logTail()}`);
}

/** Starts dockerd detached from this process; false if it ends before it answers. It keeps its pid in /run/docker.pid. */
async function launch(): Promise<boolean> {
  const log = openSync(LOG, "w");
  const daemon = spawn("dockerd", [], { detached: true, stdio: ["ignore", log, log] });
  let ended = false;
  daemon.on("exit", () => (ended = true));
  daemon.on("error", () => (ended = true));
  daemon.unref();
  return until(
    60,
    async () => (ended ? false : await running()),
    () => Promise.resolve(`dockerd does not answer; the last lines of ${LOG}:\n${logTail()}`),
  );
}

const logTail = () => readFileSync(LOG, "utf8").trimEnd().split("\n").slice(-15).join("\n");
