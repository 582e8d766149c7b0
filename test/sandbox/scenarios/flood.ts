import { type World, secrets, username } from "../world";
import { credentials } from "../portal-api";

/** Guesses at the operator's password, by someone who knows the name, and at another address than the operator. */
export function flood(world: World): void {
  /** Statuses of that many wrong passwords sent from the host itself, all at once or one after the other. */
  const guesses = async (count: number, atOnce: boolean): Promise<number[]> => {
    const name = world.nameOf("auth");
    const lines = [
      `url = "https://${name}/api/firstfactor"`,
      `resolve = "${name}:443:${world.sandbox.host.address}"`,
      'header = "content-type: application/json"',
      `data = "{\\"username\\":\\"${username}\\",\\"password\\":\\"wrong wrong\\"}"`,
      'output = "/dev/null"',
      'write-out = "%{http_code}\\n"',
      "insecure",
      "silent",
    ];
    const parallel = atOnce ? "--parallel --parallel-immediate --parallel-max 300" : "";
    const each = lines.map((line) => `printf '%s\\n' '${line}'`).join("; ");
    const text = await world.onHost(
      `for i in $(seq ${count}); do [ $i = 1 ] || echo next; ${each}; done | curl ${parallel} --config - || true`,
    );
    return text.split("\n").map(Number);
  };
  const signIn = async () => {
    const start = Date.now();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(credentials(secrets.adminPassword));
    const { status } = await world.request("auth", "/api/firstfactor", { method: "POST", headers, body });
    return { status, seconds: (Date.now() - start) / 1000 };
  };
  const authelia = () => world.container("auth", "authelia");
  const lives = async () =>
    world.onHost(
      `docker inspect --format '{{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}' ${await authelia()}`,
    );
  const bans = async (kind: "ip" | "user") =>
    world.onHost(`docker exec ${await authelia()} authelia storage bans ${kind} list`);

  test("two hundred at once neither end the gateway nor keep the operator or an App waiting", async () => {
    const before = await lives();
    const state = { over: false };
    const guessed = guesses(200, true).finally(() => (state.over = true));
    const signedIn: Awaited<ReturnType<typeof signIn>>[] = [];
    const app: number[] = [];
    do {
      signedIn.push(await signIn());
      const headers = { cookie: world.cookie };
      app.push((await world.request("code", "/global/health", { headers })).status);
    } while (!state.over);
    const statuses = await guessed;
    expect(statuses).toHaveLength(200);
    expect([...new Set(statuses)].toSorted()).toEqual([401, 503]);
    expect(signedIn.filter(({ status, seconds }) => status !== 200 || seconds > 5)).toEqual([]);
    expect(app.filter((status) => status !== 200)).toEqual([]);
    expect(await lives()).toBe(before);
  });

  test("so do those in a row: their address is banned, the operator's name is not", async () => {
    const before = await lives();
    expect([...new Set(await guesses(20, false))]).toEqual([401]);
    expect(await bans("ip")).toMatch(/^\d+ +[\d.]+ +\d{4}-/m);
    expect(await bans("user")).toBe("No results.");
    expect((await signIn()).status).toBe(200);
    expect(await lives()).toBe(before);
  });
}
