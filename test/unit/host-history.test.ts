import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHistory } from "../../ops/commands/history";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
beforeEach(() => {
  host = new HostMachine();
});
afterEach(() => {
  host.destroy();
});

const lines = () =>
  parseHistory(readFileSync(join(host.folder, "stacks", ".history"), "utf8")).map(
    ({ stack, action, release: id, result }) => `${stack} ${action} ${id} ${result}`,
  );

describe("the history of a host", () => {
  it("has one line for each change, whatever came of it", async () => {
    await host.apply(release("r1"));
    host.answer("compose* config --quiet", "", 1);
    await host.apply(release("r2"));
    host.answer("compose* config --quiet", "");
    host.answer("compose*/releases/r3/compose.yaml up *", "", 1);
    await host.apply(release("r3"));
    host.run(["rollback", "app"], "");
    host.remove("keep-data");
    expect(lines()).toEqual([
      "app apply r1 running",
      "app apply r2 refused",
      "app apply r3 not healthy, r1 runs again",
      "app rollback  refused",
      "app remove keep-data removed",
    ]);
  });

  it("stands in the order of its times, however long a line of another stack takes", async () => {
    await host.apply(release("r1"));
    const file = join(host.folder, "stacks", ".history");
    const other = spawn("flock", [file, "sh", "-c", "echo held; sleep 2"], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => other.stdout.once("data", resolve));
    const held = Date.now();
    host.remove("keep-data");
    const times = parseHistory(readFileSync(file, "utf8")).map(({ time }) => Date.parse(time));
    expect(times).toHaveLength(2);
    expect(times[1]).toBeGreaterThan(held);
  });

  it("says when, by whom and from where", async () => {
    await host.apply(release("r1"));
    const [line] = parseHistory(readFileSync(join(host.folder, "stacks", ".history"), "utf8"));
    expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(line?.operator).toMatch(/^pulumi from /);
  });
});

describe("a rollback", () => {
  beforeEach(async () => {
    await host.apply(release("r1"));
    await host.apply(release("r2"));
    host.calls();
  });

  it("starts the release before, and the one it left is then the one before", () => {
    expect(host.run(["rollback", "app"], "")).toEqual({
      status: 0,
      said: ["release r1 of app is running and replaces r2"],
    });
    expect(host.current()).toBe("r1");
    expect(host.calls().filter((call) => call.includes(" up "))).toEqual([
      "compose[r1] up --detach --wait --wait-timeout 180 --remove-orphans --quiet-pull --no-build",
    ]);
    expect(host.run(["rollback", "app"], "").said).toEqual(["release r2 of app is running and replaces r1"]);
  });

  it("to one that does not become healthy leaves the running one running", () => {
    host.answer("compose*/releases/r1/compose.yaml up *", "", 1);
    const { status, said } = host.run(["rollback", "app", "r1"], "");
    expect([status, said.at(-1)]).toEqual([1, "release r2 is running again"]);
    expect(host.current()).toBe("r2");
  });

  it.each([
    ["r9", "cloudcode: release r9 of app is not on this host, which has: r1 r2 "],
    ["r2", "cloudcode: release r2 of app is the one that runs"],
    ["r*", "cloudcode: release r* of app is not on this host, which has: r1 r2 "],
  ])("to %s touches nothing", (id, sentence) => {
    expect(host.run(["rollback", "app", id], "")).toEqual({ status: 1, said: [sentence] });
    expect(host.calls().filter((call) => call.includes(" up "))).toEqual([]);
  });
});
