import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import type { Operations } from "../../components/operations";
import type { ReachInput } from "../../components/host/reach";
import { Ssh } from "../ssh";
import { type AppliedStack, OpsError, type StackChoice, appliedStacks, pulumi, readOutputs } from "../stack";
import { type Check, judgeClock, judgeProjects, judgeReleases, none, ok, parseHostReport, red } from "./check";
import { outsideChecks } from "./outside";

const checkProgram = "/opt/cloudcode/bin/cloudcode-check";

/** All checks of a stack: the host's own, those from outside, and host against state. */
export async function status(choice: StackChoice): Promise<Check[]> {
  const [{ operations }, exported] = await Promise.all([readOutputs(choice), pulumi(choice, ["stack", "export"])]);
  if (!operations.awake)
    return [none("machine", "switched off; pulumi config set power running && pulumi up starts it")];
  const [inside, outside] = await Promise.all([
    insideChecks(operations, appliedStacks(exported)),
    outsideChecks(operations),
  ]);
  return [...inside, ...outside];
}

async function insideChecks(operations: Operations, inState: Readonly<Record<string, AppliedStack>>): Promise<Check[]> {
  const { connection } = operations;
  const ssh = await Ssh.open(connection);
  try {
    const before = Date.now();
    const { stdout } = await ssh.script(`exec ${checkProgram}`, [], { timeoutMs: 120_000 });
    const { checks, facts } = parseHostReport(stdout);
    // The host reads its clock early; what follows there takes longer than the way.
    return [
      ok("reachable", `${connection.user}@${connection.host} port ${connection.port}`),
      ok("host key", "the pinned one"),
      judgeClock(facts, before / 1000),
      ...judgeReleases(facts, inState, operations.stacks),
      ...judgeProjects(facts, operations.stacks, connection.user),
      ...checks,
    ];
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return [unreachable(operations, error.message)];
  } finally {
    ssh.close();
  }
}

/** The program's own dial names TCP, banner, host key or authentication, where ssh says less. */
function unreachable({ connection }: Operations, words: string): Check {
  const { host: address, port, user, privateKey, hostKey } = connection;
  const input: ReachInput = { address, port, user, privateKey, hostKey, seconds: 5 };
  const dial = spawnSync(process.execPath, ["bin/cloudcode-hook.cjs", "reach", "true"], {
    cwd: resolve(__dirname, "..", ".."),
    input: JSON.stringify(input),
    encoding: "utf8",
  });
  if (dial.status === 0) return red("host report", words, "run pulumi up, so that the host has the program's tools");
  const said = dial.stderr.trim();
  return red(
    said.startsWith("Host key") ? "host key" : "reachable",
    said,
    "npm run ops -- ssh once that is fixed; a machine that was switched off in the cloud's console: pulumi refresh && pulumi up",
  );
}
