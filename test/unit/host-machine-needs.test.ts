import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HostMachine, machineRelease, release } from "../support/host-machine";

let host: HostMachine;
let notes: string;
beforeEach(() => {
  host = new HostMachine();
  notes = join(host.folder, "notes");
});
afterEach(() => {
  host.destroy();
});

const noted = () => (existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : []);
const ups = () => host.calls().filter((call) => call.includes(" up "));
const unhealthy = (id: string) => {
  host.answer(`compose*/releases/${id}/compose.yaml up *`, "", 1);
};

describe("a stack that needs memory", () => {
  const memory = { memory: { mib: 7168, setting: "appMinimumMemoryMiB" } };

  it("is refused on a machine with less, in one sentence, before anything is touched", async () => {
    host.memory(3900);
    expect(await host.apply(release("r1", memory))).toEqual({
      status: 1,
      said: [
        "cloudcode: app needs a machine with 7168 MiB of memory or more (appMinimumMemoryMiB), this one has 3900; nothing was touched",
      ],
    });
    expect(host.calls().filter((call) => !call.startsWith("info"))).toEqual([]);
    expect(host.list("releases")).toEqual([]);
  });

  it("is applied on a machine with as much", async () => {
    host.memory(7168);
    expect(await host.apply(release("r1", memory))).toMatchObject({ status: 0 });
  });
});

describe("a stack whose images are for one processor", () => {
  const uname = (machine: string) => {
    host.install("uname", `#!/bin/sh\necho ${machine}\n`);
  };

  it("is refused on another, in one sentence, before anything is touched", async () => {
    uname("aarch64");
    expect(await host.apply(release("r1", { processor: "x86_64" }))).toEqual({
      status: 1,
      said: [
        "cloudcode: app has images for x86_64 only, and this machine's processor is aarch64: switch app off, or use another machine; nothing was touched",
      ],
    });
    expect(host.calls().filter((call) => !call.startsWith("info"))).toEqual([]);
    expect(host.list("releases")).toEqual([]);
  });

  it("is applied on its own, and any other stack on both", async () => {
    uname("x86_64");
    expect(await host.apply(release("r1", { processor: "x86_64" }))).toMatchObject({ status: 0 });
    uname("aarch64");
    expect(await host.apply(release("r2", {}))).toMatchObject({ status: 0 });
  });
});

describe("a stack that needs something of the machine", () => {
  it("has it made ready after all checks and before it starts", async () => {
    host.answer("compose*/releases/r0/compose.yaml config --quiet", "", 1);
    await host.apply(machineRelease("r0", notes));
    expect(noted()).toEqual([]);
    expect(await host.apply(machineRelease("r1", notes))).toMatchObject({ status: 0 });
    expect(noted()).toEqual(["ready r1 app"]);
    expect(ups()).toHaveLength(1);
  });

  it("is not started where that fails; the last words are reported, and the machine is as the running release needs it", async () => {
    await host.apply(machineRelease("r1", notes));
    host.calls();
    const { status, said } = await host.apply(machineRelease("r2", notes, 1));
    expect([status, said]).toEqual([
      1,
      ["cloudcode: release r2 of app did not become healthy:", "r2 says", "release r1 is running again"],
    ]);
    expect(noted()).toEqual(["ready r1 app", "ready r2 app", "ready r1 app"]);
    expect(ups().map((call) => call.split(" ")[0])).toEqual(["compose[r1]"]);
    expect(host.current()).toBe("r1");
  });

  it("goes back together with the machine when it does not become healthy", async () => {
    await host.apply(machineRelease("r1", notes));
    unhealthy("r2");
    expect((await host.apply(machineRelease("r2", notes))).status).toBe(1);
    expect(noted()).toEqual(["ready r1 app", "ready r2 app", "ready r1 app"]);
    expect(host.current()).toBe("r1");
  });

  it("does not touch the machine when the new release was refused before", async () => {
    await host.apply(machineRelease("r1", notes));
    host.answer("compose*/releases/r2/compose.yaml config --quiet", "", 1);
    expect((await host.apply(machineRelease("r2", notes))).status).toBe(1);
    expect(noted()).toEqual(["ready r1 app"]);
  });

  it("changes the machine too when the operator goes back", async () => {
    await host.apply(machineRelease("r1", notes));
    await host.apply(machineRelease("r2", notes));
    expect(host.run(["rollback", "app", "r1"], "").status).toBe(0);
    expect(noted()).toEqual(["ready r1 app", "ready r2 app", "ready r1 app"]);
  });

  it.each(["keep-data", "delete-data"] as const)("gives it back when it is removed: %s", async (word) => {
    await host.apply(machineRelease("r1", notes));
    expect(host.remove(word)).toEqual({ status: 0, said: ["app is removed"] });
    expect(noted()).toEqual(["ready r1 app", `gone r1 ${word}`]);
  });

  it("gives back what a first release began, though it never ran", async () => {
    expect((await host.apply(machineRelease("r1", notes, 1))).status).toBe(1);
    expect(host.current()).toBeUndefined();
    expect(host.remove("keep-data").status).toBe(0);
    expect(noted()).toEqual(["ready r1 app", "gone r1 keep-data"]);
  });
});
