import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHistory } from "../../ops/commands/history";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
beforeEach(async () => {
  host = new HostMachine();
  host.answer("compose* config --services", "web\ndb\nseed\n");
  host.answer("compose* ps --services --status running", "web\ndb\n");
  await host.apply(release("r1"));
  host.calls();
});
afterEach(() => {
  host.destroy();
});

const act = (action: string, service = "") => host.run([action, "app", service], "");
const runs = (services: string) => {
  host.answer("compose* ps --services --status running", services);
};
const changes = () => host.calls().filter((call) => / (up|stop|restart|down) ?/.test(call));
const lines = () =>
  parseHistory(readFileSync(join(host.folder, "stacks", ".history"), "utf8"))
    .slice(1)
    .map(({ action, release: id, result }) => `${action} ${id} ${result}`);
const up = "compose[r1] up --detach --wait --wait-timeout 180";

describe("a stop by a person", () => {
  it("stops every container, and writes down which, when and who", () => {
    expect(act("stop")).toEqual({ status: 0, said: ["app is stopped; npm run ops -- start app starts it again"] });
    expect(changes()).toEqual(["compose[r1] stop"]);
    expect(host.list("stopped")).toEqual(["all", "db", "seed", "web"]);
    expect(readFileSync(join(host.stack, "stopped", "web"), "utf8")).toMatch(/^2\d{3}-\S+Z by pulumi from \n$/);
    expect(lines()).toEqual(["stop r1 stopped"]);
  });

  it("of one service leaves the others", () => {
    expect(act("stop", "db").status).toBe(0);
    expect(changes()).toEqual(["compose[r1] stop db"]);
    expect(host.list("stopped")).toEqual(["db"]);
    expect(lines()).toEqual(["stop r1 db stopped"]);
  });

  it("that fails leaves no word of it", () => {
    host.answer("compose* stop*", "oops\n", 1);
    expect(act("stop", "db")).toEqual({ status: 1, said: ["cloudcode: app could not be stopped: oops"] });
    expect(host.list("stopped")).toEqual([]);
  });

  it.each(["nothing", "w.b", "-f"])("of %s, which is no service, names those that are", (service) => {
    expect(act("stop", service)).toEqual({
      status: 1,
      said: [`cloudcode: app has no service ${service}; it has db, seed, web`],
    });
    expect(changes()).toEqual([]);
  });

  it("ends with the next release, also with one that fails and gives way to the one before", async () => {
    act("stop");
    await host.apply(release("r2"));
    expect(existsSync(join(host.stack, "stopped"))).toBe(false);
    act("stop", "web");
    host.answer("compose*/releases/r3/compose.yaml up *", "", 1);
    expect((await host.apply(release("r3"))).said.at(-1)).toBe("release r2 is running again");
    expect(existsSync(join(host.stack, "stopped"))).toBe(false);
  });

  it("goes on where a release is refused before anything starts", async () => {
    act("stop");
    host.answer("compose* config --quiet", "", 1);
    expect((await host.apply(release("r2"))).status).toBe(1);
    expect(host.list("stopped")).toContain("web");
  });
});

describe("a start", () => {
  it("waits for the health checks of the same release, and forgets the stop", () => {
    act("stop");
    host.calls();
    expect(act("start")).toEqual({ status: 0, said: ["app is running"] });
    expect(changes()).toEqual([`${up} --remove-orphans --quiet-pull --no-build`]);
    expect(existsSync(join(host.stack, "stopped"))).toBe(false);
    expect(lines().at(-1)).toBe("start r1 running");
  });

  it("of one service leaves the rest stopped", () => {
    act("stop");
    host.calls();
    runs("web\n");
    expect(act("start", "web").said).toEqual(["app/web is running"]);
    expect(changes()).toEqual([`${up} --no-recreate --no-build --quiet-pull web`]);
    expect(host.list("stopped")).toEqual(["db", "seed"]);
  });

  it("of what does not become healthy fails with its last words", () => {
    act("stop");
    host.answer("compose* up *", "container web is unhealthy\n", 1);
    host.answer("compose* ps --all *", "web|running|unhealthy|0\ndb|running|healthy|0\n");
    host.answer("compose* logs *", "web: no database\n");
    expect(act("start")).toEqual({
      status: 1,
      said: [
        "cloudcode: app did not become healthy:",
        "container web is unhealthy",
        "last lines of web:",
        "web: no database",
        "npm run ops -- rollback app goes back to an earlier release",
      ],
    });
    expect(lines().at(-1)).toBe("start r1 not healthy");
  });
});

describe("a restart", () => {
  it("is of what runs, not of what has done its work, and waits for the health checks", () => {
    expect(act("restart").said).toEqual(["app has restarted and is healthy"]);
    expect(changes()).toEqual(["compose[r1] restart web db", `${up} --remove-orphans --quiet-pull --no-build`]);
  });

  it("of one service", () => {
    expect(act("restart", "db").said).toEqual(["app/db has restarted and is healthy"]);
    expect(changes()).toEqual(["compose[r1] restart db", `${up} --no-recreate --no-build --quiet-pull db`]);
    expect(lines()).toEqual(["restart r1 db running"]);
  });

  it("of what a person stopped is refused, whole or in part", () => {
    act("stop", "db");
    host.calls();
    runs("web\n");
    const { status, said } = act("restart", "db");
    expect([status, said[0]]).toEqual([
      1,
      expect.stringMatching(/^cloudcode: app\/db is stopped since \S+Z by .*; npm run ops -- start app db starts it$/),
    ]);
    expect(changes()).toEqual([]);
    expect(act("restart").status).toBe(0);
    expect(changes()).toEqual(["compose[r1] restart web", `${up} --no-recreate --no-build --quiet-pull --no-deps web`]);
    expect(host.list("stopped")).toEqual(["db"]);
    act("stop");
    expect(act("restart").said[0]).toMatch(/^cloudcode: app is stopped since .*; npm run ops -- start app starts it$/);
  });

  it("of a stack that was never there touches nothing", () => {
    const other = host.run(["restart", "other", ""], "");
    expect(other).toEqual({ status: 1, said: ["cloudcode: other does not run on this host"] });
    expect(changes()).toEqual([]);
  });
});
