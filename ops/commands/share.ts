import type { Preview } from "../../components/operations";
import { act, onHost } from "../host";
import { type Answer, answer } from "../shapes";
import { OpsError, type StackChoice, type StackOutputs } from "../stack";

const day = 86_400;
const units = new Map([
  ["m", 60],
  ["h", 3600],
  ["d", day],
]);
const longest = 7 * day;

/** Seconds of a time such as `90m`, `1h` or `2d`, at most 7 days; undefined: it is none. */
export function secondsOf(time: string): number | undefined {
  const [, count = "", unit = ""] = /^([1-9]\d{0,4})([mhd])$/.exec(time) ?? [];
  const found = Number(count) * (units.get(unit) ?? 0);
  return found > 0 && found <= longest ? found : undefined;
}

/** Somebody who may see a preview for a time. */
export interface Guest {
  /** Names the guest to `--end`; the first letters of the key. */
  readonly id: string;
  readonly port: number;
  /** Seconds since 1970. */
  readonly end: number;
}

/** On the host: stack-templates/host/cloudcode-guest. */
const program = "/opt/cloudcode/bin/cloudcode-guest";

/** @throws OpsError that lists the previews there are */
function previewOf({ operations: { previews = [] } }: StackOutputs, port: number): Preview {
  const found = previews.find((one) => one.port === port);
  if (found !== undefined) return found;
  const others = previews.length === 0 ? "no preview" : `previews of ${previews.map((one) => one.port).join(", ")}`;
  throw new OpsError(
    `this stack has ${others}: pulumi config set opencodePreviews '${JSON.stringify([...previews.map((one) => one.port), port])}' && pulumi up adds port ${port}`,
  );
}

/**
 * Lets a guest see what listens on a port of OpenCode's workspace, for a time.
 *
 * @param time in seconds
 */
export function share(choice: StackChoice, port: number, time: number): Promise<Answer> {
  return onHost(choice, async (ssh, outputs) => {
    const { host } = previewOf(outputs, port);
    const { stdout } = await ssh.script(`exec ${program} add "$@"`, [String(port), String(time)]);
    const key = stdout.trim();
    const [id, end] = [key.slice(0, 8), Number(key.split("-")[1])];
    const url = `https://${host}/.guest/${key}`;
    const text = [
      url,
      `This link opens port ${port} without signing in, for everybody who has it, until ${utc(end)}.`,
      `To end it before: npm run ops -- share --end ${id}`,
    ].join("\n");
    return answer("share", { url, id, port, until: new Date(end * 1000).toISOString() }, text);
  });
}

/** Guests by the lines of the script's `list`, those that end first in front. */
export function guestsIn(text: string): Guest[] {
  return text
    .split("\n")
    .flatMap((line) => {
      const [, id = "", port = "", end = ""] = /^([0-9a-f]{8}) (\d+) (\d+)$/.exec(line) ?? [];
      return id === "" ? [] : [{ id, port: Number(port), end: Number(end) }];
    })
    .sort((a, b) => a.end - b.end);
}

export function guestTable(guests: readonly Guest[]): string {
  if (guests.length === 0) return "There is no guest: npm run ops -- share 3000 --for 1h lets one in.";
  return guests.map(({ id, port, end }) => `${id}  port ${port}  until ${utc(end)}`).join("\n");
}

export function listGuests(choice: StackChoice): Promise<Answer> {
  return onHost(choice, async (ssh) => {
    const guests = guestsIn((await ssh.script(`exec ${program} list`)).stdout);
    const data = guests.map(({ id, port, end }) => ({ id, port, until: new Date(end * 1000).toISOString() }));
    return answer("share", data, guestTable(guests));
  });
}

/**
 * Ends the time of a guest at once, with the connections that are open.
 *
 * @param id of the guest, or `all`
 * @throws OpsError where there is no such guest
 */
export function endGuest(choice: StackChoice, id: string): Promise<string> {
  return onHost(choice, async (ssh) => {
    const guests = guestsIn((await ssh.script(`exec ${program} list`)).stdout);
    const chosen = guests.filter((guest) => id === "all" || guest.id === id);
    if (chosen.length === 0) throw new OpsError(`there is no guest ${id}; ${guestTable(guests)}`);
    const ids = chosen.map((guest) => guest.id);
    await act(ssh, "cloudcode-guest", ["end", ...ids]);
    return chosen.map((guest) => `The link ${guest.id} to port ${guest.port} has ended.`).join("\n");
  });
}

const utc = (time: number) => `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
