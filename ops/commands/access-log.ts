import { z } from "zod";
import { jsonOf } from "../../cli/json";
import { onHost } from "../host";
import { type Answer, answer } from "../shapes";
import type { Ssh } from "../ssh";
import { OpsError, type StackChoice } from "../stack";
import { lineByLine } from "../terminal";
import { columns } from "./containers";
import type { HistoryLine } from "./history";

/** One request at the edge. */
export interface Access {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly address: string;
  readonly method: string;
  readonly host: string;
  /** As it was written, without the query; `…` stands for that, and for a part that is long enough to be a secret. */
  readonly path: string;
  /** 0: nothing was answered. */
  readonly status: number;
  /** Of the answer. */
  readonly bytes: number;
  readonly seconds: number;
  /** Of OpenCode's own clients, which come with a key. */
  readonly device?: string;
  /** Who had signed in; only in a stack with people. */
  readonly user?: string;
}

/** https://caddyserver.com/docs/caddyfile/directives/log (the fields of an access log) */
const lineSchema = z.object({
  ts: z.number(),
  request: z.object({
    client_ip: z.string(),
    method: z.string(),
    host: z.string(),
    uri: z.string(),
  }),
  size: z.number(),
  status: z.number(),
  duration: z.number(),
  device: z.string().optional(),
  user: z.string().optional(),
});

/** A line of the access log; undefined: it is none, as after a loss of power. Strangers wrote most of it. */
export function accessLine(line: string): Access | undefined {
  const parsed = lineSchema.safeParse(jsonOf(line));
  if (!parsed.success) return undefined;
  const { ts, request, size: bytes, status, duration: seconds, device, user } = parsed.data;
  return {
    time: new Date(ts * 1000).toISOString(),
    address: word(request.client_ip),
    method: word(request.method),
    host: word(request.host),
    path: word(request.uri),
    status,
    bytes,
    seconds,
    ...(device !== undefined && { device: word(device) }),
    ...(user !== undefined && user !== "" && { user: word(user) }),
  };
}

/** In one line, and nothing to a terminal, colours neither. */
const word = (text: string) => text.replaceAll(/[\p{Cc}\p{Bidi_C}\p{Zl}\p{Zp}]/gu, "");

export function renderAccess({ time, address, method, host, path, status, seconds, device, user }: Access): string {
  const ms = `${Math.round(seconds * 1000)} ms`;
  const who = [device, user].flatMap((name) => (name === undefined ? [] : `  ${name}`)).join("");
  return `${time}  ${address}  ${status}  ${method} ${host}${path}  ${ms}${who}`;
}

/** In Caddy's container: nothing that a stranger wrote is read by anything else on the host. */
const inEdge = "exec docker exec cloudcode-edge-caddy-1 sh -c";
const all = "cat $(ls /state/access-*.log 2>/dev/null) /state/access.log 2>/dev/null";

/** The last requests at the edge, and new ones as they come. Gives the exit code. */
export function showAccess(
  choice: StackChoice,
  { follow, lines }: { readonly follow: boolean; readonly lines: number },
  use: (access: Access) => void,
): Promise<number> {
  return onHost(choice, async (ssh) => {
    const reader = lineByLine((line) => {
      const access = accessLine(line);
      if (access !== undefined) use(access);
    });
    const script = follow ? `tail -n "$1" -F /state/access.log` : `${all} | tail -n "$1"`;
    const code = await ssh.attach(false, `${inEdge} '${script}' sh "$1"`, [String(lines)], { stdout: reader.take });
    reader.end();
    return code;
  });
}

/** How many of the last requests a summary is of; a line has about 250 bytes. */
const summarised = 20_000;

/** The last requests, those alone that this shell pattern of Caddy's container selects. */
async function read(ssh: Ssh, count: number, select = ""): Promise<Access[]> {
  const { stdout } = await ssh.script(`${inEdge} '${all}${select} | tail -n "$1"' sh "$1"`, [String(count)]);
  return stdout.split("\n").flatMap((line) => accessLine(line) ?? []);
}

/** Answers that turn a visitor away. A page asked for without a session is answered with 302 instead. */
const refusals = new Set([401, 403, 410, 413, 421, 429]);
const shown = 10;

/** What came in lately: from where, to whom, and what was refused. */
export async function traffic(choice: StackChoice): Promise<Answer> {
  const requests = await onHost(choice, (ssh) => read(ssh, summarised));
  if (requests.length === 0)
    throw new OpsError("the access log is empty: nobody came yet, or the last up was with an older version");
  const found = summary(requests);
  return answer("status", found, renderSummary(found));
}

/** The pure half of {@link traffic}. */
export function summary(requests: readonly Access[]) {
  const refused = requests.filter(({ status }) => refusals.has(status));
  const addresses = top(requests, ({ address }) => address).map(([address, count]) => ({
    address,
    requests: count,
    refused: refused.filter((one) => one.address === address).length,
  }));
  return {
    from: requests[0]?.time ?? "",
    until: requests.at(-1)?.time ?? "",
    requests: requests.length,
    refused: refused.length,
    addresses,
    hosts: top(requests, ({ host }) => host).map(([host, count]) => ({ host, requests: count })),
    refusals: top(refused, ({ status, method, host, path }) => `${status} ${method} ${host}${path}`).map(
      ([request, count]) => ({ request, requests: count }),
    ),
  };
}

function top(requests: readonly Access[], key: (one: Access) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const one of requests) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, shown);
}

function renderSummary(found: ReturnType<typeof summary>): string {
  const table = (title: string, rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : ["", title, columns(rows.map((row) => ["", ...row]))];
  return [
    `${found.requests} requests from ${found.from} until ${found.until}, ${found.refused} refused`,
    ...table(
      "Addresses",
      found.addresses.map((one) => [one.address, `${one.requests} requests`, `${one.refused} refused`]),
    ),
    ...table(
      "Names",
      found.hosts.map((one) => [one.host, `${one.requests} requests`]),
    ),
    ...table(
      "Refused",
      found.refusals.map((one) => [String(one.requests), one.request]),
    ),
  ].join("\n");
}

/** What the portal asks for, by the path that it is sent to (https://github.com/authelia/authelia, internal/server/handlers.go). */
const factors = new Map([
  ["/api/firstfactor", "password"],
  ["/api/firstfactor/passkey", "passkey"],
  ["/api/secondfactor/password", "password after a passkey"],
  ["/api/secondfactor/totp", "one-time code"],
  ["/api/secondfactor/webauthn", "security key"],
  ["/api/secondfactor/duo", "Duo"],
]);

/** How long after a sign-in the portal's page may take to lead to the page that was asked for, in milliseconds. */
const arrivalMs = 60_000;

/**
 * Who signed in at that time from that address: the portal's requests do not say it, but those that follow do. More than one name, if
 * others of that address were there within a minute; none, if nobody was, or while a second factor is missing.
 */
function signedIn({ time, address }: Access, factor: string, seen: readonly Access[]): string {
  if (factor === "password") return "";
  const at = Date.parse(time);
  const arrived = seen.filter((one) => {
    const later = Date.parse(one.time) - at;
    return one.address === address && later >= 0 && later <= arrivalMs;
  });
  const names = new Set(arrived.flatMap(({ user }) => user ?? []));
  return names.size === 0 ? "" : `${[...names].join(" or ")} `;
}

/**
 * What the portal accepted, as lines of the history: the oldest first.
 *
 * @param seen requests that say who had signed in. @default none
 */
export function signIns(requests: readonly Access[], portal: string, seen: readonly Access[] = []): HistoryLine[] {
  return requests.flatMap((request) => {
    const { time, address, method, host, path, status } = request;
    const factor = method === "POST" && host === portal && status === 200 ? factors.get(decoded(path)) : undefined;
    if (factor === undefined) return [];
    return [
      {
        time,
        operator: `${signedIn(request, factor, seen)}from ${address}`,
        stack: "auth",
        action: "sign-in",
        release: "",
        result: `${factor} accepted`,
      },
    ];
  });
}

/** As Authelia reads a path. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path.replace(/…$/, ""));
  } catch {
    return path;
  }
}

/**
 * What a line of an accepted sign-in has: within a text JSON writes a quote as \", so that no stranger can write these. The status is the
 * last field, unless one was appended.
 */
export const signInMarks: readonly string[] = ['"method":"POST"', '"status":200'];

/**
 * The last sign-ins that the access log knows; none while Caddy does not run.
 *
 * @param named whether its lines say who had signed in, as in a stack with people
 */
export async function readSignIns(ssh: Ssh, portal: string, count: number, named: boolean): Promise<HistoryLine[]> {
  const select = signInMarks.map((mark) => ` | grep -F "${mark.replaceAll('"', '\\"')}"`);
  try {
    const accepted = await read(ssh, 20 * count, select.join(""));
    return signIns(accepted, portal, named ? await read(ssh, summarised) : []);
  } catch (error) {
    if (error instanceof OpsError) return [];
    throw error;
  }
}
