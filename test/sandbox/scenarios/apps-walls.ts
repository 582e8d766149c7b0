import { listeningPorts } from "../../support/listening-ports";
import { type AppsWorld, apps } from "../apps/world";

/** A running container of ours. */
export interface Place {
  readonly app: string;
  readonly service: string;
  /** Of its first process on the host. */
  readonly pid: string;
  readonly addresses: readonly string[];
  /** Where it listens, but for what only it reaches itself. */
  readonly ports: readonly number[];
}

/** No App reaches another or the gateway's insides, and within an App a service reaches only what it needs. */
export function appWalls(world: AppsWorld): void {
  test("no container of one App reaches a container of another App or of the gate", async () => {
    const { tried, open } = await acrossApps(world);
    expect(tried).toBeGreaterThan(50);
    expect(open).toEqual([]);
  });

  test("within CaseCheck only the API reaches policy and database; the donation site reaches its proxy", async () => {
    const places = await placesOf(world);
    const pid = (app: string, service: string) => placeOf(places, app, service).pid;
    const probe = (from: readonly [string, string], app: string, to: string) =>
      placeOf(places, app, to).addresses.map((address) => `${pid(...from)} ${address} ${apps[app]?.[to] ?? 0}`);
    const api = ["casecheck", "api"] as const;
    const web = ["casecheck", "web"] as const;
    const allowed = [
      ...probe(api, "casecheck", "database"),
      ...probe(api, "casecheck", "opa"),
      ...probe(["donation", "site"], "donation", "proxy"),
    ];
    const forbidden = ["database", "opa"].flatMap((to) => [
      ...probe(web, "casecheck", to),
      ...probe(["casecheck", to === "opa" ? "database" : "opa"], "casecheck", to),
    ]);
    expect(await opened(world, allowed)).toEqual(allowed.toSorted());
    expect(await opened(world, forbidden)).toEqual([]);
  });

  test("no port of theirs is open on the host", async () => {
    const ports = await world.onHost(
      "docker ps --format '{{.Names}} {{.Ports}}' | grep -e '->' | grep -v '^cloudcode-edge-caddy-1 ' || true",
    );
    expect(ports).toBe("");
  });
}

/** How many connections from these Apps' containers to other Apps' and the gateway's were tried, and which of them opened. */
export async function acrossApps(world: AppsWorld): Promise<{ tried: number; open: string[] }> {
  const places = await placesOf(world);
  const targets = places.flatMap((to) => doors(to).map((door) => ({ app: to.app, door })));
  const tried = places
    .filter(({ app }) => app !== "auth" && app !== "edge")
    .flatMap((from) => targets.filter(({ app }) => app !== from.app).map(({ door }) => `${from.pid} ${door}`));
  return { tried: tried.length, open: await opened(world, tried) };
}

/** Where a container listens that strangers must not reach, as `ADDRESS PORT`; of Caddy that is its control port alone. */
export function doors({ app, addresses, ports }: Place): string[] {
  return addresses.flatMap((address) => (app === "edge" ? [2019] : ports).map((port) => `${address} ${port}`));
}

function placeOf(places: readonly Place[], app: string, service: string): Place {
  const found = places.find((place) => place.app === app && place.service === service);
  if (found === undefined) throw new Error(`${service} of ${app} does not run`);
  return found;
}

/** All of them. */
export async function placesOf(world: AppsWorld): Promise<Place[]> {
  const label = (name: string) => `{{index .Config.Labels "com.docker.compose.${name}"}}`;
  const addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  const format = `${label("project")} ${label("service")} {{.State.Pid}} ${addresses}`;
  const lines = await world.onHost(`docker ps --quiet | xargs docker inspect --format '${format}'`);
  return Promise.all(
    lines.split("\n").map(async (line) => {
      const [project = "", service = "", pid = "", ...rest] = line.split(" ");
      const ports = listeningPorts(await world.onHost(`cat /proc/${pid}/net/tcp /proc/${pid}/net/tcp6`));
      return { app: project.replace(/^cloudcode-/, ""), service, pid, addresses: rest.filter(Boolean), ports };
    }),
  );
}

/** Which of the connections `PID ADDRESS PORT`, tried from the network of that process, open within two seconds. */
export async function opened(world: AppsWorld, tried: readonly string[]): Promise<string[]> {
  const script = `while read -r pid address port; do
    (timeout 2 nsenter --target "$pid" --net bash -c "exec 3<>/dev/tcp/$address/$port" 2>/dev/null && echo "$pid $address $port") &
  done; wait`;
  const { stdout } = await world.sandbox.exec(["sh", "-c", script], { input: tried.join("\n") + "\n" });
  return stdout.split("\n").filter(Boolean).sort();
}
