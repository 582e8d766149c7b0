import { z } from "zod";
import { knownStack, onHost } from "../host";
import { type Answer, answer } from "../shapes";
import { type Sinks, collected } from "../ssh";
import { OpsError, type StackChoice } from "../stack";
import { harmless, lineByLine } from "../terminal";

const listedSchema = z.object({
  Names: z.string(),
  Status: z.string(),
  Image: z.string(),
  Size: z.string(),
  Labels: z.string(),
});
const usedSchema = z.object({ Name: z.string(), CPUPerc: z.string(), MemUsage: z.string() });

/** The stack's containers. */
export function listContainers(choice: StackChoice): Promise<Answer> {
  return onHost(choice, async (ssh) => {
    const { stdout } = await ssh.script(
      `docker ps --all --no-trunc --filter name=^cloudcode- --format '{{json .}}' --size && docker stats --no-stream --format '{{json .}}'`,
    );
    return containersIn(stdout);
  });
}

/** The pure half of {@link listContainers}, out of Docker's lines of JSON. */
export function containersIn(text: string): Answer {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const objects = lines.map((line) => JSON.parse(line) as unknown);
  const used = new Map(
    objects.flatMap((one) => {
      const parsed = usedSchema.safeParse(one);
      return parsed.success ? [[parsed.data.Name, parsed.data] as const] : [];
    }),
  );
  const containers = objects.flatMap((one) => {
    const parsed = listedSchema.safeParse(one);
    if (!parsed.success) return [];
    const { Names: container, Status: status, Image: image, Size: size, Labels } = parsed.data;
    const label = (name: string) =>
      new RegExp(`(?:^|,)com\\.docker\\.compose\\.${name}=([^,]*)`).exec(Labels)?.[1] ?? "";
    const use = used.get(container);
    return [
      {
        container,
        stack: label("project").replace(/^cloudcode-/, ""),
        service: label("service"),
        status,
        image,
        size,
        ...(use && { cpu: use.CPUPerc, memory: use.MemUsage }),
      },
    ];
  });
  const table = [
    ["CONTAINER", "STATUS", "CPU", "MEMORY", "DISK", "IMAGE"],
    ...containers.map((one) => [one.container, one.status, one.cpu ?? "", one.memory ?? "", one.size, one.image]),
  ];
  return answer("ps", containers, columns(table));
}

/** Cells in columns. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export interface LogOptions {
  readonly follow: boolean;
  readonly lines: number;
}

/** One line of a container. */
export interface LogLine {
  readonly container: string;
  /** RFC 3339; undefined for Compose's own words. */
  readonly time?: string;
  readonly text: string;
}

/** A line as `docker compose logs --timestamps --no-color` prints it. */
export function logLine(line: string): LogLine {
  const [, container = "", time, text] = /^(\S+) +\| (\S+Z) ?(.*)$/s.exec(line) ?? [];
  return time === undefined || text === undefined ? { container: "", text: line } : { container, time, text };
}

/** Log lines of a stack's containers: Apps and strangers wrote them. Gives the exit code. */
export function showLogs(
  choice: StackChoice,
  app: string,
  { follow, lines }: LogOptions,
  use: (line: LogLine) => void,
): Promise<number> {
  return onHost(choice, async (ssh, outputs) => {
    const project = `cloudcode-${knownStack(outputs, app)}`;
    const script = `exec docker compose --project-name "$1" logs --no-color --timestamps --tail "$2" ${follow ? "--follow" : ""}`;
    const reader = lineByLine((line) => {
      const { text, ...rest } = logLine(line);
      use({ ...rest, text: harmless(text) });
    });
    const code = await ssh.attach(false, script, [project, String(lines)], { stdout: reader.take });
    reader.end();
    return code;
  });
}

/** `opencode` is its only or its first service, `opencode/terminal` the one named. */
export function splitService(place: string): { readonly app: string; readonly service: string | undefined } {
  const [app = "", service, ...rest] = place.split("/");
  if (app === "" || service === "" || rest.length > 0) throw new OpsError(`${place} is not APP or APP/SERVICE`);
  return { app, service };
}

/** Runs a command in a running container; on a terminal, with one, unless its output goes to sinks. Gives the exit code. */
export function execute(
  choice: StackChoice,
  place: string,
  command: readonly string[],
  sinks?: Sinks,
): Promise<number> {
  const { app, service } = splitService(place);
  return onHost(choice, (ssh, outputs) => {
    const tty = sinks === undefined && process.stdin.isTTY && process.stdout.isTTY;
    const script = `project=$1 service=$2; shift 2
      [ -n "$service" ] || service=$(docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.service"}}' | sort | head -n 1)
      [ -n "$service" ] || { echo "no container of $project is running" >&2; exit 1; }
      exec docker compose --project-name "$project" exec ${tty ? "" : "--no-TTY"} "$service" "$@"`;
    return ssh.attach(tty, script, [`cloudcode-${knownStack(outputs, app)}`, service ?? "", ...command], sinks);
  });
}

/** A shell on the host, or a command there, as its SSH user; its words are joined as ssh does. Gives the exit code. */
export function shell(choice: StackChoice, command: readonly string[], sinks?: Sinks): Promise<number> {
  return onHost(choice, (ssh) => {
    if (command.length > 0)
      return ssh.login(!sinks && process.stdin.isTTY && process.stdout.isTTY, command.join(" "), sinks);
    if (sinks) throw new OpsError("--json needs a command: a shell has no JSON");
    return ssh.login(process.stdin.isTTY);
  });
}

/** What a command printed, and how it ended. */
export async function endedAnswer(
  name: "ssh" | "exec",
  command: (sinks: Sinks) => Promise<number>,
): Promise<{ readonly answer: Answer; readonly exitCode: number }> {
  const ended = await collected(command);
  return { answer: answer(name, ended, ended.stdout), exitCode: ended.exitCode };
}
