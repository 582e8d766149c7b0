import { HostMachine, release } from "../support/host-machine";

// One service that may run twice, `api`, which needs `database` and `migrate`.
const plan = { startFirst: ["api"] };
let host: HostMachine;
beforeEach(async () => {
  host = new HostMachine();
  for (const id of ["r1", "r2"]) {
    host.answer(`compose*/releases/${id}/compose.yaml config --hash api`, `api hash-${id}\n`);
    host.answer(
      `compose*/releases/${id}/compose.yaml config --format json`,
      '{"services":{"api":{"depends_on":{"database":{},"migrate":{}}}}}',
    );
  }
  await host.apply(release("r1", plan));
  host.calls();
});
afterEach(() => {
  host.destroy();
});

/** Lines of id, hash and status, as docker shows the service's containers from now on. */
const running = (...lines: readonly string[]) => {
  host.answer("ps --all *label=com.docker.compose.service=api*", lines.map((line) => `${line}\n`).join(""));
};
const done = () => host.calls().filter((call) => / up |^stop|^rm/.test(call));
const rest = "compose[r2] up --detach --wait --wait-timeout 180 --remove-orphans --quiet-pull --no-build";
const second =
  "compose[r2] up --detach --wait --wait-timeout 180 --no-recreate --no-build --quiet-pull --scale api=2 api";
const needs = "compose[r2] up --detach --no-build --quiet-pull database migrate";

describe("a service that may run twice", () => {
  it("gets its new container beside the old one, after what it needs, and then loses the old one", async () => {
    running("old1 hash-r1 Up 2 hours (healthy)");
    expect((await host.apply(release("r2", plan))).status).toBe(0);
    expect(done()).toEqual([needs, second, "stop old1", "rm old1", rest]);
  });

  it("is left alone while it does not change, and where it does not run yet", async () => {
    running("old1 hash-r2 Up 2 hours (healthy)");
    await host.apply(release("r2", plan));
    expect(done()).toEqual([rest]);
    running();
    await host.apply(release("r2", plan));
    expect(done()).toEqual([rest]);
  });

  it("is replaced as any other when the old one does not serve", async () => {
    running("old1 hash-r1 Up 2 hours (unhealthy)");
    await host.apply(release("r2", plan));
    expect(done()).toEqual([rest]);
  });

  it("has only its old one left to lose when the change was cut off before", async () => {
    running("new1 hash-r2 Up 2 minutes (healthy)", "old1 hash-r1 Up 2 hours (healthy)");
    await host.apply(release("r2", plan));
    expect(done()).toEqual(["stop old1", "rm old1", rest]);
  });

  it("is waited for when the change was cut off while the new one started", async () => {
    running("new1 hash-r2 Up 2 seconds (health: starting)", "old1 hash-r1 Up 2 hours (healthy)");
    await host.apply(release("r2", plan));
    expect(done()).toEqual([needs, second, "stop old1", "rm old1", rest]);
  });

  it("keeps its old one, and loses the new one, when that does not become healthy", async () => {
    running("new1 hash-r2 Up 3 minutes (unhealthy)", "old1 hash-r1 Up 2 hours (healthy)");
    host.answer("compose*/releases/r2/compose.yaml up --detach --wait *", "", 1);
    const { status, said } = await host.apply(release("r2", plan));
    expect([status, said.at(-1)]).toEqual([1, "release r1 is running again"]);
    expect(done()).toEqual([needs, second, "stop new1", "rm new1", rest.replace("r2", "r1")]);
    expect(host.current()).toBe("r1");
  });
});

describe("a service that may run twice only while nothing else of its stack changes", () => {
  const only = { startFirstAlone: ["api"] };
  const twice = [second, "stop old1", "rm old1", rest];

  /** What docker shows of the stack's containers: service, hash and image. */
  const stack = (...lines: readonly string[]) => {
    host.answer("ps --all --filter *oneoff=False --quiet", "old1\nbase1\ndone1\n");
    host.answer("inspect * old1 base1 done1", lines.map((line) => `${line}\n`).join(""));
  };
  beforeEach(() => {
    const services = '"api":{"image":"api:1","depends_on":{"database":{}}},"database":{"image":"base:1"}';
    for (const id of ["r1", "r2"]) {
      const compose = `compose*/releases/${id}/compose.yaml config`;
      host.answer(`${compose} --hash [*]`, `api hash-${id}\ndatabase hash-base\nmigrate hash-done\n`);
      host.answer(`${compose} --format json`, `{"services":{${services}}}`);
    }
    host.answer("image inspect --format {{.Id}} api:1", "sha256:one\n");
    running("old1 hash-r1 Up 2 hours (healthy)");
    stack("api hash-r1 sha256:one", "database hash-base sha256:base", "migrate hash-done sha256:done");
  });

  it("is updated start-first for a change of its own configuration", async () => {
    expect((await host.apply(release("r2", only))).status).toBe(0);
    expect(done()).toEqual([needs.replace(" migrate", ""), ...twice]);
  });

  it("stops first where it gets another image, which may migrate its data", async () => {
    stack("api hash-r1 sha256:other", "database hash-base sha256:base", "migrate hash-done sha256:done");
    await host.apply(release("r2", only));
    expect(done()).toEqual([rest]);
  });

  it("stops first where its image cannot be compared", async () => {
    host.answer("image inspect --format {{.Id}} api:1", "", 1);
    await host.apply(release("r2", only));
    expect(done()).toEqual([rest]);
  });

  it.each([
    ["changes", "database hash-former sha256:base"],
    ["is removed", "mail hash-mail sha256:mail"],
  ])("stops first where another service of the stack %s", async (_, line) => {
    stack("api hash-r1 sha256:one", line, "migrate hash-done sha256:done");
    await host.apply(release("r2", only));
    expect(done()).toEqual([rest]);
  });

  it("is updated start-first where what has run once has no container any more", async () => {
    stack("api hash-r1 sha256:one", "database hash-base sha256:base");
    await host.apply(release("r2", only));
    expect(done()).toEqual([needs.replace(" migrate", ""), ...twice]);
  });

  it("keeps its old one, which never stops, when the new one does not become healthy", async () => {
    running("new1 hash-r2 Up 3 minutes (unhealthy)", "old1 hash-r1 Up 2 hours (healthy)");
    host.answer("ps --all --filter *oneoff=False --quiet", "new1\nold1\n");
    host.answer("inspect * new1 old1", "api hash-r2 sha256:one\napi hash-r1 sha256:one\n");
    await host.apply(release("r1", only));
    host.calls();
    host.answer("compose*/releases/r2/compose.yaml up --detach --wait *", "", 1);
    const { status, said } = await host.apply(release("r2", only));
    expect([status, said.at(-1)]).toEqual([1, "release r1 is running again"]);
    expect(done()).toEqual([needs.replace(" migrate", ""), second, "stop new1", "rm new1", rest.replace("r2", "r1")]);
    expect(host.current()).toBe("r1");
  });
});
