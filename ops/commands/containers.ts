import { knownStack, onHost } from "../host";
import { OpsError, type StackChoice } from "../stack";

/** The stack's containers, as a table. */
export function listContainers(choice: StackChoice): Promise<number> {
  const format = "table {{.Names}}\\t{{.Status}}\\t{{.Image}}\\t{{.Size}}";
  const script = `docker ps --all --filter name=cloudcode- --format '${format}' --size; echo; docker stats --no-stream --format 'table {{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}'`;
  return onHost(choice, (ssh) => ssh.attach(false, script));
}

export interface LogOptions {
  readonly follow: boolean;
  readonly lines: number;
}

/** Log lines of a stack's containers. */
export function showLogs(choice: StackChoice, app: string, { follow, lines }: LogOptions): Promise<number> {
  return onHost(choice, (ssh, outputs) => {
    const project = `cloudcode-${knownStack(outputs, app)}`;
    const script = `exec docker compose --project-name "$1" logs --tail "$2" ${follow ? "--follow" : ""}`;
    return ssh.attach(false, script, [project, String(lines)]);
  });
}

/** `opencode` is its only or its first service, `opencode/terminal` the one named. */
export function splitService(place: string): { readonly app: string; readonly service: string | undefined } {
  const [app = "", service, ...rest] = place.split("/");
  if (app === "" || service === "" || rest.length > 0) throw new OpsError(`${place} is not APP or APP/SERVICE`);
  return { app, service };
}

/** Runs a command in a running container; on a terminal, with one. */
export function execute(choice: StackChoice, place: string, command: readonly string[]): Promise<number> {
  const { app, service } = splitService(place);
  return onHost(choice, (ssh, outputs) => {
    const tty = process.stdin.isTTY && process.stdout.isTTY;
    const script = `project=$1 service=$2; shift 2
      [ -n "$service" ] || service=$(docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.service"}}' | sort | head -n 1)
      [ -n "$service" ] || { echo "no container of $project is running" >&2; exit 1; }
      exec docker compose --project-name "$project" exec ${tty ? "" : "--no-TTY"} "$service" "$@"`;
    return ssh.attach(tty, script, [`cloudcode-${knownStack(outputs, app)}`, service ?? "", ...command]);
  });
}

/** A shell on the host, or a command there, as its SSH user; its words are joined as ssh does. */
export function shell(choice: StackChoice, command: readonly string[]): Promise<number> {
  return onHost(choice, (ssh) =>
    command.length === 0
      ? ssh.login(process.stdin.isTTY)
      : ssh.login(process.stdin.isTTY && process.stdout.isTTY, command.join(" ")),
  );
}
