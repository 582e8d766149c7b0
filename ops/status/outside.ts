import { type IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { type Socket, connect } from "node:net";
import { TLSSocket } from "node:tls";
import type { Operations, Site } from "../../components/operations";
import { portalSubdomain } from "../../components/routes";
import { type Seen, namesSeen, verdict } from "../../cli/names-seen";
import { type Check, none, ok, red } from "./check";

const timeoutMs = 10_000;

/** Ports that nobody outside may reach: Docker, Caddy's and Authelia's inner ones, databases, Kubernetes, the Apps'. */
const closedPorts = [2019, 2375, 2376, 4096, 5432, 6379, 6443, 9091, 10250];

/** Where the sites are. */
const webPorts = [80, 443];

/** The host as anybody on the internet sees it. */
export async function outsideChecks(operations: Operations): Promise<Check[]> {
  const { publicAddress, announcesItself, limited = false, sites, domain, connection } = operations;
  const portal: Site = { title: "the sign-in portal", host: `${portalSubdomain}.${domain}`, open: true };
  const index: Site = { title: "the index page", host: domain, open: false };
  const [names, ports, ...visits] = await Promise.all([
    // Where the host announces itself, all that can be judged is that every name has the one address.
    namesSeen(domain).then((seen) => judgeNames((announcesItself && seen[0]?.addresses[0]) ?? publicAddress, seen)),
    portChecks(publicAddress, [...new Set([connection.port, ...webPorts])], limited),
    ...[portal, index, ...sites].map(async (site) => ({ site, visit: await visit(publicAddress, site.host, "/") })),
  ]);
  if (
    visits.every(({ visit: seen }) => seen.status === undefined) &&
    !ports.some(({ name, state }) => name.startsWith("port ") && state === "ok")
  )
    return [names, ...ports, none("sites", "not checked, because no port of the machine answers")];
  if (limited && visits.every(({ visit: seen }) => seen.status === undefined))
    return [names, ...ports, none("sites", "not checked, because webCidrs does not admit this computer")];
  const health = await visit(publicAddress, portal.host, "/api/health");
  return [
    names,
    ...ports,
    ...visits.map(({ site, visit: seen }) => judgeCertificate(site.host, seen, Date.now())),
    judgePortal(health),
    ...visits.filter(({ site }) => !site.open).map(({ site, visit: seen }) => judgeGate(site, portal.host, seen)),
  ];
}

/** What one HTTPS request saw; certificates are judged, not required. */
export interface Visit {
  /** Undefined: nothing answered. */
  readonly status?: number;
  readonly headers: IncomingHttpHeaders;
  readonly certificate?: Certificate;
  readonly fault?: string;
}

export interface Certificate {
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  /** Milliseconds since 1970. */
  readonly validTo: number;
  /** Why this machine does not trust it. */
  readonly untrusted?: string;
}

/** GET past DNS, so that a wrong record shows in its own check alone. */
export function visit(address: string, host: string, path: string): Promise<Visit> {
  return new Promise((resolve) => {
    const options = {
      host: address,
      servername: host,
      path,
      headers: { host },
      rejectUnauthorized: false,
      agent: false,
    };
    const sent = request({ ...options, timeout: timeoutMs }, (response) => {
      const certificate = certificateOf(response.socket);
      response.resume();
      resolve({
        headers: response.headers,
        ...(response.statusCode !== undefined && { status: response.statusCode }),
        ...(certificate && { certificate }),
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    sent.on("error", (error) => {
      resolve({ headers: {}, fault: error.message });
    });
    sent.end();
  });
}

function certificateOf(socket: Socket): Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { issuer, valid_from: from, valid_to: until } = socket.getPeerCertificate();
  if (until === "") return undefined;
  const fault = socket.authorizationError as Error | string | null;
  return {
    issuer: [issuer.O, issuer.CN].filter((part) => part !== undefined).join(", "),
    validFrom: Date.parse(from),
    validTo: Date.parse(until),
    ...(!socket.authorized && { untrusted: String(fault) }),
  };
}

const dayMs = 86_400_000;
/** Caddy renews at a third of a certificate's life: 30 of 90 days. Only two ninths left, 20 of 90, means that it could not. */
const overdueBelow = 2 / 9;

export function judgeCertificate(host: string, { certificate, fault }: Visit, now: number): Check {
  const name = `certificate ${host}`;
  if (certificate === undefined)
    return red(
      name,
      fault ?? "the server sent none",
      "npm run ops -- logs edge shows why Caddy has none; ports 80 and 443 must be open, or the token of acmeDns valid",
    );
  const days = Math.floor((certificate.validTo - now) / dayMs);
  const left = days > 0 ? `${days} days left` : `${Math.round((certificate.validTo - now) / 60_000)} minutes left`;
  const seen = `by ${certificate.issuer}, ${left}`;
  if (certificate.validTo < now)
    return red(name, `${seen}: it has expired`, "npm run ops -- logs edge shows why it was not renewed");
  if (/Caddy Local Authority/.test(certificate.issuer))
    return red(
      name,
      `${seen}: the internal fallback, for which browsers show a warning`,
      "npm run ops -- logs edge shows why the public authorities refused; DNS, port 80 and the token of acmeDns are the usual causes, a shared name (sslip.io) has rate limits",
    );
  if (certificate.untrusted !== undefined)
    return red(
      name,
      `${seen}, not trusted by this machine (${certificate.untrusted})`,
      "with a private authority (acmeTrustedRoot) run this with NODE_EXTRA_CA_CERTS=its root; otherwise see npm run ops -- logs edge",
    );
  if (certificate.validTo - now < (certificate.validTo - certificate.validFrom) * overdueBelow)
    return red(name, `${seen}: it should have been renewed`, "npm run ops -- logs edge shows why it was not");
  return ok(name, seen);
}

export function judgePortal({ status, fault }: Visit): Check {
  if (status === 200) return ok("portal", "answers");
  return red(
    "portal",
    fault ?? `answers ${status ?? "nothing"}`,
    "npm run ops -- logs auth; npm run ops -- ps shows whether it runs",
  );
}

/** A stranger is sent to the portal or refused; anything else means that it is open. */
export function judgeGate({ title, host }: Site, portal: string, { status, headers, fault }: Visit): Check {
  const name = `sign-in ${host}`;
  if (status === undefined) return red(name, fault ?? "no answer", "npm run ops -- logs edge");
  if (status === 401 || status === 403) return ok(name, `refuses visitors without a sign-in: ${status}`);
  if ((status === 302 || status === 303) && headers.location?.startsWith(`https://${portal}/`) === true)
    return ok(name, "redirects visitors without a sign-in to the sign-in portal");
  if (status >= 500)
    return red(
      name,
      `answers ${status}`,
      "npm run ops -- logs edge; npm run ops -- ps shows which container is missing",
    );
  return red(
    name,
    `answers visitors without a sign-in: ${status}`,
    `${title} may be open to the internet: pulumi up restores its sign-in; until then, npm run ops -- exec edge caddy stop closes it`,
  );
}

export function judgeNames(address: string, seen: readonly Seen[]): Check {
  const { done, sentence } = verdict(address, seen);
  const domain = seen[0]?.name ?? "";
  return done
    ? ok("dns", sentence)
    : red(
        "dns",
        `${sentence}; expected: ${address}`,
        `create the two A records, then npm run dns -- ${domain} ${address} waits for them`,
      );
}

/** Open, or why not: `refused` by the machine, `silent` where something on the way drops it. */
export type PortState = "open" | "refused" | "silent";

async function portChecks(address: string, open: readonly number[], limited: boolean): Promise<Check[]> {
  const probe = async (port: number) => ({ port, state: await portState(address, port) });
  const [wanted, unwanted] = await Promise.all([Promise.all(open.map(probe)), Promise.all(closedPorts.map(probe))]);
  return [
    ...wanted.map((seen) => judgeOpenPort(seen, limited && webPorts.includes(seen.port))),
    judgeClosedPorts(unwanted),
  ];
}

function portState(address: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 3000 });
    const end = (state: PortState) => {
      socket.destroy();
      resolve(state);
    };
    socket.once("connect", () => {
      end("open");
    });
    socket.once("timeout", () => {
      end("silent");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      end(error.code === "ECONNREFUSED" ? "refused" : "silent");
    });
  });
}

/** @param limited only some networks may connect to it, and perhaps not this one */
export function judgeOpenPort(
  { port, state }: { readonly port: number; readonly state: PortState },
  limited = false,
): Check {
  if (state === "open") return ok(`port ${port}`, "open");
  if (state === "silent" && limited) return none(`port ${port}`, "no answer: webCidrs admits only some networks");
  return state === "refused"
    ? red(`port ${port}`, "refused: nothing listens there", "npm run ops -- ps shows whether Caddy runs")
    : red(
        `port ${port}`,
        "no answer",
        "the machine is off, or a firewall in front of it drops the connection: allow it there (security group, sshCidrs)",
      );
}

export function judgeClosedPorts(seen: readonly { readonly port: number; readonly state: PortState }[]): Check {
  const open = seen.filter(({ state }) => state === "open").map(({ port }) => port);
  if (open.length === 0) return ok("other ports", `closed: ${seen.map(({ port }) => port).join(" ")}`);
  return red(
    "other ports",
    `open from outside: ${open.join(" ")}`,
    "close them in the firewall in front of the machine, and stop what listens there (npm run ops -- ssh, then ss -ltnp)",
  );
}
