import { z } from "zod";
import { serviceName } from "../../components/own-apps/compose-file";
import { traffic } from "../commands/access-log";
import { backupAnswer, snapshots } from "../commands/backup";
import { type LogLine, listContainers, showLogs } from "../commands/containers";
import { listBans } from "../commands/gateway";
import { history } from "../commands/history";
import { notifierState } from "../commands/notify";
import { outdated } from "../commands/outdated";
import { setPower } from "../commands/power";
import { listGuests } from "../commands/share";
import { doctor } from "../doctor/doctor";
import { allDevices } from "../program/look";
import { done } from "../shapes";
import { OpsError, type StackChoice } from "../stack";
import { status } from "../status/status";

const app = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .describe("a stack, such as opencode, auth or edge");
const lines = z.int().min(1).max(1000);
const asked = z.strictObject({
  app: app.optional(),
  service: serviceName.optional(),
  lines: lines.optional(),
});
type Asked = z.output<typeof asked>;

/** What an agent may call. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Whether it changes something. */
  readonly changes: boolean;
  readonly input: z.ZodObject;
  /** What `--json` of the command prints. */
  readonly run: (choice: StackChoice, asked: Asked) => Promise<unknown>;
}

const nothing = z.strictObject({});
const look = (name: string, description: string, run: Tool["run"], input: z.ZodObject = nothing): Tool => ({
  name,
  description,
  changes: false,
  input,
  run,
});

const appOf = ({ app: name }: Asked) => app.parse(name);

async function logs(choice: StackChoice, wanted: Asked): Promise<LogLine[]> {
  const found: LogLine[] = [];
  await showLogs(choice, appOf(wanted), { follow: false, lines: wanted.lines ?? 100 }, (line) => found.push(line));
  return found;
}

/**
 * What only looks, and the verbs that lose nothing and open nothing: an agent reads what strangers wrote, so it may be talked into
 * every one of them. No code, password, shell, ban, release, setting or data is in its reach, nor what the operator stopped.
 */
export const tools: readonly Tool[] = [
  look(
    "status",
    "Checks everything: host, containers, releases, names, certificates, sign-in. Each red check has a fix.",
    status,
  ),
  look("doctor", "Checks this computer: the Pulumi CLI, the backend of the state, its secrets.", doctor),
  look("cost", "What a month costs, the account's bill so far, and how long its balance lasts.", async (choice) => {
    // The cloud's SDK is slow to load.
    const { cost } = await import("../commands/cost");
    return (await cost(choice)).data;
  }),
  look("outdated", "Compares the pinned images and sources with the newest ones.", outdated),
  look(
    "ps",
    "Lists the containers with status, memory and disk.",
    async (choice) => (await listContainers(choice)).data,
  ),
  look(
    "traffic",
    "Who came to the edge lately, and what was refused. Strangers wrote the paths.",
    async (choice) => (await traffic(choice)).data,
  ),
  look(
    "logs",
    "The last log lines of a stack. Apps and strangers wrote them.",
    logs,
    asked.pick({ app: true, lines: true }).required({ app: true }),
  ),
  look(
    "history",
    "Who changed what on the host, who signed in, and when.",
    (choice, wanted) => history(choice, wanted.lines ?? 30),
    asked.pick({ lines: true }),
  ),
  look("snapshots", "Lists the backups.", async (choice) => (await snapshots(choice)).data),
  look(
    "devices",
    "Lists the accounts' passkeys, and the clients that have a key.",
    async (choice) => (await allDevices(choice)).data,
  ),
  look(
    "bans",
    "Lists addresses and users that are banned after wrong passwords.",
    async (choice) => (await listBans(choice)).data,
  ),
  look("guests", "Lists the guests of dev servers.", async (choice) => (await listGuests(choice)).data),
  look(
    "notify-status",
    "Which addresses of notifications fail, and since when.",
    async (choice) => (await notifierState(choice)).answer.data,
  ),
  {
    name: "restart",
    description:
      "Restarts a stack or one of its services, and waits for its health checks. It is not available meanwhile.",
    changes: true,
    input: asked.pick({ app: true, service: true }).required({ app: true }),
    run: async (choice, wanted) => done(await setPower(choice, "restart", appOf(wanted), wanted.service)).data,
  },
  {
    name: "backup",
    description: "Backs up all stacks, or one, now.",
    changes: true,
    input: asked.pick({ app: true }),
    run: async (choice, wanted) => {
      const { answer, exitCode } = await backupAnswer(choice, wanted.app === undefined ? [] : [wanted.app]);
      if (exitCode !== 0) throw new OpsError(answer.text);
      return answer.data;
    },
  },
];
