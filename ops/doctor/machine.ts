import { enabledApps } from "../../components/apps/registry";
import { hostValues } from "../../components/host/docker-engine";
import { inboundRules } from "../../components/host/network";
import type { Operations } from "../../components/operations";
import type { Mirrors } from "../../components/mirrors";
import { toSettings } from "../../components/settings/settings";
import { workerValues } from "../../components/workers/app-worker";
import { stackSettings } from "../settings";
import { Ssh } from "../ssh";
import { OpsError, type StackChoice, readOutputs } from "../stack";
import { type Check, none, ok, red } from "../status/check";
import { judgeLook, lookCommand, lookScript, templates, workerLookScript } from "./look";
import { mirrorQuestions } from "./mirrors";

/** Longest look, in ms: it waits for apt's sources, and for each program that does not answer. */
const lookMs = 5 * 60_000;

/** A machine that can be looked at, and with what. */
interface Machine {
  /** Begins the names of its checks. @default none: it is the host */
  readonly worker?: string;
  readonly connection: Operations["connection"];
  readonly script: string;
  /** Mirrors in use that it times. @default none */
  readonly mirrors?: Mirrors | undefined;
}

/** What is in the way on the machines that the stack is for; they are only read, also before the first `up`. */
export async function doctorMachine(choice: StackChoice): Promise<Check[]> {
  const machines = await machinesOf(choice);
  const checks = await Promise.all(machines.map(async (one) => ("connection" in one ? checksOf(one) : [one])));
  return checks.flat();
}

async function checksOf(machine: Machine): Promise<Check[]> {
  const { host, port, user } = machine.connection;
  const named = ({ name, ...check }: Check): Check => ({
    ...check,
    name: machine.worker === undefined ? name : `${machine.worker} ${name}`,
  });
  try {
    return [ok("reach", `${user}@${host} port ${port}`), ...(await look(machine))].map(named);
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return [named(red("reach", reachWords(error.message), reachFix(error.message)))];
  }
}

async function look({ connection, script, mirrors }: Machine): Promise<Check[]> {
  const ssh = await Ssh.open(connection);
  try {
    const now = String(Math.round(Date.now() / 1000));
    const { stdout } = await ssh.script(lookCommand, [now], { input: script, timeoutMs: lookMs });
    return judgeLook(stdout, mirrors);
  } finally {
    ssh.close();
  }
}

/** The configuration says where an existing machine is; one of ours is known once `up` has made it. */
async function machinesOf(choice: StackChoice): Promise<readonly (Machine | Check)[]> {
  const parsed = await stackSettings(choice);
  if (!parsed.ok) return [red("settings", parsed.message, "run the commands above; `pulumi preview` reports the same")];
  const settings = toSettings(parsed.values);
  const { target, mirrors } = settings;
  const existing = target.kind === "existing" ? target : undefined;
  const port = existing?.port ?? 22;
  // What SSH is open to on a machine of ours stands in its security group.
  const inbound = inboundRules(port, existing?.sshCidrs ?? [], existing?.webCidrs ?? []);
  const plans = enabledApps(settings).map((app) => ({ name: app.name, ...app.release("example.com").plan }));
  const script = lookScript(
    hostValues(settings.docker, { port, network: { inbound, enforced: existing === undefined } }, undefined),
    {
      memoryMiB: Math.max(0, ...plans.map(({ memory }) => memory?.mib ?? 0)),
      mirrors: mirrorQuestions(settings, templates),
      x86Apps: plans.filter(({ processor }) => processor === "x86_64").map(({ name }) => name),
    },
  );
  if (existing !== undefined) {
    const login = { user: existing.user, privateKey: parsed.values.hostPrivateKey ?? "" };
    const workers = existing.workers.map(({ name: worker, address, ...at }) => ({
      worker,
      connection: { host: address, port: at.port, hostKey: at.hostKey, ...login },
      script: workerLookScript(workerValues(settings.docker)),
    }));
    return [
      { connection: { host: existing.address, port, hostKey: existing.hostKey, ...login }, script, mirrors },
      ...workers,
    ];
  }
  const { operations } = await readOutputs(choice).catch((error: unknown) => {
    if (error instanceof OpsError) return { operations: undefined };
    throw error;
  });
  if (operations === undefined)
    return [none("machine", "there is none yet: pulumi up creates it, and checks it first")];
  if (!operations.awake) return [none("machine", "it is switched off")];
  return [{ connection: operations.connection, script, mirrors }];
}

function reachWords(words: string): string {
  if (/Host key verification failed/.test(words))
    return "the machine has another host key: Host key verification failed";
  return words.split("\n").slice(0, 3).join(" ");
}

/** What to do about the words of ssh or sudo. */
function reachFix(words: string): string {
  if (/sudo: .*(password|terminal) is required|sudo: no tty/i.test(words))
    return "on the machine, as root: echo 'USER ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/USER, with hostUser's name";
  if (/must have a tty/i.test(words))
    return "on the machine, as root: echo 'Defaults:USER !requiretty' >>/etc/sudoers.d/USER, with hostUser's name";
  if (/sudo: (command )?not found|sudo: No such file/i.test(words))
    return "apt-get install sudo on the machine, or hostUser root";
  if (/Permission denied \(/.test(words))
    return "put the public half of hostPrivateKey into ~/.ssh/authorized_keys of hostUser on the machine";
  if (/Host key verification failed|no matching host key/.test(words))
    return "compare hostKey with the machine's console: cat /etc/ssh/ssh_host_ed25519_key.pub";
  if (/Connection (refused|timed out)|No route|Operation timed out/.test(words))
    return "is the machine on, are hostAddress and hostPort right, and is the port open to your address?";
  return "npm run ops -- doctor shows whether the cause is on this computer";
}
