import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { releasePayload } from "../../components/stack/payload";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
beforeEach(() => {
  host = new HostMachine();
});
afterEach(() => {
  host.destroy();
});

describe("a release that is applied", () => {
  it("is checked before anything runs, then started, then current", async () => {
    const plan = {
      networks: ["cloudcode-edge-auth", "cloudcode-edge-app"],
      check: { service: "web", command: "web validate --config {release}/web.conf" },
      healthTimeout: 60,
    };
    host.answer("network inspect cloudcode-edge-app", "", 1);
    expect(await host.apply(release("r1", plan))).toEqual({ status: 0, said: ["release r1 of app is running"] });
    expect(host.calls().filter((call) => !call.includes(" config --images"))).toEqual([
      "info --format {{.DockerRootDir}}",
      "network inspect cloudcode-edge-auth",
      "network inspect cloudcode-edge-app",
      "network create --label cloudcode.edge=app cloudcode-edge-app",
      "compose[r1] config --quiet",
      "compose[r1] run --rm --no-deps --no-TTY --entrypoint web web validate --config /srv/releases/r1/web.conf",
      "ps --all --filter label=com.docker.compose.project=cloudcode-app --filter status=created --format {{.ID}} {{.Names}}",
      "network inspect cloudcode-edge-auth",
      "network inspect cloudcode-edge-app",
      "network create --label cloudcode.edge=app cloudcode-edge-app",
      "compose[r1] up --detach --wait --wait-timeout 60 --remove-orphans --quiet-pull --no-build",
    ]);
    expect(host.current()).toBe("r1");
    expect(host.list("files")).toEqual(["r100000000000000"]);
  });

  it("first removes what a recreation left that was cut off, and no container that has a name of its own", async () => {
    host.answer("ps --all *status=created*", "1a2b 5d99b0ac64ef_cloudcode-app-web-1\n3c4d cloudcode-app-job-1\n");
    await host.apply(release("r1"));
    const calls = host.calls();
    expect(calls.filter((call) => call.startsWith("rm "))).toEqual(["rm --force 1a2b"]);
    expect(calls.indexOf("rm --force 1a2b")).toBeLessThan(calls.findIndex((call) => call.includes(" up ")));
  });

  it("pulls and builds only images that are missing", async () => {
    const made = () => host.calls().filter((call) => /(^pull| build) /.test(call));
    host.answer("compose* config --images*", "cloudcode/app:1\nexample/db:1\nexample/web:1\n");
    host.answer(
      "compose* config --format json",
      '{"services":{"db":{"image":"example/db:1"},"app":{"image":"cloudcode/app:1"}}}',
    );
    host.answer("image inspect *", "", 1);
    host.answer("image inspect example/web:1", "[]");
    await host.apply(release("r1", { build: ["app"] }));
    expect(made()).toEqual([
      "compose[r1] build --quiet app",
      "pull --quiet cloudcode/app:1",
      "pull --quiet example/db:1",
    ]);
    host.answer("image inspect *", "[]");
    await host.apply(release("r2", { build: ["app"] }));
    expect(made()).toEqual([]);
  });

  it("reloads the running container where the plan says so, but not one that has just started from it", async () => {
    const plan = { reload: { service: "caddy", command: "caddy reload --config {release}/Caddyfile" } };
    await host.apply(release("r1", plan));
    expect(host.calls().filter((call) => call.includes(" exec "))).toEqual([]);
    await host.apply(release("r2", plan));
    expect(host.calls().filter((call) => call.includes(" exec "))).toEqual([
      "compose[r2] exec -T caddy caddy reload --config /srv/releases/r2/Caddyfile",
    ]);
  });

  it("sends new connections to the newest listener of a container before it reloads it, and reloads it anyway", async () => {
    const plan = { reload: { service: "caddy", command: "caddy reload" } };
    const seen = join(host.folder, "perl");
    host.install("perl", `#!/bin/sh\necho "$*" >>${seen}\nexit 1\n`);
    host.answer("compose* ps --quiet caddy", "c1\n");
    host.answer("inspect --format {{.State.Pid}} c1", "42\n");
    await host.apply(release("r1", plan));
    expect(existsSync(seen)).toBe(false);
    expect(await host.apply(release("r2", plan))).toMatchObject({ status: 0 });
    expect(readFileSync(seen, "utf8")).toMatch(/^\S+\/newest-listener\.pl 42\n$/);
    expect(host.calls().filter((call) => call.includes(" exec "))).toEqual(["compose[r2] exec -T caddy caddy reload"]);
  });

  it("lets its container join new edge networks and leave old ones while it runs", async () => {
    host.answer("compose* ps --quiet caddy", "c1\n");
    host.answer("inspect --format *", "bridge\ncloudcode-edge-old\ncloudcode-edge-auth\n");
    await host.apply(release("r1", { joins: "caddy", networks: ["cloudcode-edge-auth", "cloudcode-edge-new"] }));
    expect(host.calls().filter((call) => /^network (dis)?connect/.test(call))).toEqual([
      "network connect cloudcode-edge-new c1",
      "network disconnect cloudcode-edge-old c1",
    ]);
  });

  it("gives its container the plan's names on a network, and joins again one where a name is missing", async () => {
    const name = "models.home.example.com";
    const networks = ["cloudcode-edge-app", "cloudcode-edge-old"];
    const aliases = networks.map((network) => ({ network, name }));
    host.answer("compose* ps --quiet caddy", "c1\n");
    host.answer("inspect --format *", "cloudcode-edge-old\ncloudcode-edge-plain\n");
    const aliasesOf = (network: string) => `inspect --format *Networks \\"${network}\\").Aliases*`;
    const joined = async (id: string) => {
      expect(
        (await host.apply(release(id, { joins: "caddy", networks: [...networks, "cloudcode-edge-plain"], aliases })))
          .status,
      ).toBe(0);
      return host.calls().filter((call) => /^network (dis)?connect/.test(call));
    };
    host.answer(aliasesOf("cloudcode-edge-old"), "c1\n");
    expect(await joined("r1")).toEqual([
      `network connect --alias ${name} cloudcode-edge-app c1`,
      "network disconnect cloudcode-edge-old c1",
      `network connect --alias ${name} cloudcode-edge-old c1`,
    ]);
    host.answer("inspect --format *", [...networks, "cloudcode-edge-plain"].map((one) => `${one}\n`).join(""));
    for (const network of networks) host.answer(aliasesOf(network), `c1\n${name}\n`);
    expect(await joined("r2")).toEqual([]);
  });

  it("keeps one earlier release to go back to; older ones go with their files and images", async () => {
    for (const id of ["r1", "r2", "r3"]) {
      host.answer(`compose*/releases/${id}/compose.yaml config --images`, `example/${id}:1\nexample/common:1\n`);
      await host.apply(release(id));
    }
    expect(host.list("releases")).toEqual(["current", "r2", "r3"]);
    expect(host.list("files")).toEqual(["r200000000000000", "r300000000000000"]);
    expect(host.calls().filter((call) => call.startsWith("image rm"))).toEqual(["image rm example/r1:1"]);
  });

  it("may be applied again, and still knows the release before it", async () => {
    for (const id of ["r1", "r2", "r2"]) expect((await host.apply(release(id))).status).toBe(0);
    expect(host.list("releases")).toEqual(["current", "r1", "r2"]);
    expect(readFileSync(join(host.stack, "previous"), "utf8")).toBe("r1\n");
  });
});

describe("a release that is not complete", () => {
  beforeEach(async () => {
    await host.apply(release("r1"));
    host.calls();
  });
  const untouched = ["cloudcode: the release did not arrive completely; nothing was touched"];

  function expectNothingTouched(): void {
    expect(host.calls().filter((call) => call.startsWith("compose"))).toEqual([]);
    expect(host.current()).toBe("r1");
    expect(host.list(".").filter((name) => name.startsWith("incoming"))).toEqual([]);
  }

  it.each([0.3, 0.5, 0.75])("since only %d of it arrived touches nothing", async (part) => {
    const payload = await releasePayload(release("r2"));
    const { status, said } = host.run(["apply", "app", "r2"], payload.slice(0, payload.length * part));
    expect([status, said]).toEqual([1, untouched]);
    expectNothingTouched();
  });

  it("since it is another than was announced touches nothing", async () => {
    const { status, said } = host.run(["apply", "app", "r3"], await releasePayload(release("r2")));
    expect([status, said]).toEqual([1, untouched]);
    expectNothingTouched();
  });

  it("since the disk ran full while it was unpacked touches nothing", async () => {
    const big = release("r2");
    const files = [
      ...big.files,
      { path: "big", content: "x".repeat(1 << 20), mode: 0o400, owner: process.getuid?.() ?? 0 },
    ];
    const payload = await releasePayload({ ...big, files });
    const { status, said } = host.runWithFileLimit(["apply", "app", "r2"], payload, 64);
    expect([status, said]).toEqual([1, untouched]);
    expectNothingTouched();
  });

  it("since there is not enough room touches nothing, and says how much there is", async () => {
    host.install(
      "df",
      "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted'\necho '/ 9 9 102400 99% /'\necho '/d 9 9 999999 9% /d'\n",
    );
    expect(await host.apply(release("r2"))).toEqual({
      status: 1,
      said: ["cloudcode: the disk is full: 100 MiB free, 512 MiB needed; nothing was touched"],
    });
    expectNothingTouched();
  });
});
