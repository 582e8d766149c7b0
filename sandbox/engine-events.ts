import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Say } from "../cli/run";
import type { Sandbox } from "./sandbox";

const step = z.object({
  metadata: z.object({ op: z.string(), urn: z.string() }),
  planning: z.boolean().default(false),
});
const schema = z.object({
  resourcePreEvent: step.optional(),
  resOutputsEvent: step.optional(),
  resOpFailedEvent: step.optional(),
});

/**
 * How far an update is, by the engine's own events, the log that Pulumi's Automation API reads too. The preview before it tells of
 * resources, but not of those that depend on something that is only known later.
 */
export class UpdateProgress {
  readonly #planned = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #finished = new Set<string>();

  /** @param line one line of the event log; others than of resources' steps are passed over */
  add(line: string): void {
    const { resourcePreEvent: begin, resOutputsEvent, resOpFailedEvent } = schema.parse(JSON.parse(line));
    const end = resOutputsEvent ?? resOpFailedEvent;
    if (begin) (begin.planning ? this.#planned : this.#begun).add(begin.metadata.urn);
    if (end && !end.planning) this.#finished.add(end.metadata.urn);
  }

  /** Such as `12 of 80 known resources, now: docker, opencode`. */
  get text(): string {
    if (this.#begun.size === 0)
      return this.#planned.size === 0 ? "starting" : `planning, ${this.#planned.size} resources`;
    // Also what takes no step of its own ends, as default providers do.
    const done = [...this.#begun].filter((urn) => this.#finished.has(urn)).length;
    const now = [...this.#begun].filter((urn) => !this.#finished.has(urn));
    const names = now.map((urn) => urn.split("::").at(-1) ?? urn);
    const shown = names.length > 4 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
    const total = Math.max(this.#planned.size, this.#begun.size);
    return `${done} of ${total} known resources${shown.length === 0 ? "" : `, now: ${shown.join(", ")}`}`;
  }
}

/**
 * `pulumi up` on a sandbox, told as it goes.
 *
 * @param everyMs how often a change is reported at most
 */
export async function up(sandbox: Pick<Sandbox, "pulumi">, say: Say, everyMs: number): Promise<void> {
  // A step of some minutes is reported again, so that it is seen to live.
  const repeatMs = 60_000;
  const folder = mkdtempSync(join(tmpdir(), "cloudcode-events-"));
  const log = join(folder, "events");
  const progress = new UpdateProgress();
  let read = 0;
  let said = "";
  let saidAt = 0;
  const look = () => {
    if (!existsSync(log)) return;
    const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
    for (const line of lines.slice(read)) progress.add(line);
    read = lines.length;
    if (progress.text === said && Date.now() - saidAt < repeatMs) return;
    said = progress.text;
    saidAt = Date.now();
    say(`pulumi up: ${said}`);
  };
  const timer = setInterval(look, everyMs);
  try {
    // The event log is a flag of the CLI only with this variable.
    await sandbox.pulumi(["up", "--yes", "--suppress-outputs", "--event-log", log], {
      env: { PULUMI_DEBUG_COMMANDS: "true" },
    });
    look();
  } finally {
    clearInterval(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}
