import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
beforeEach(() => {
  host = new HostMachine();
});
afterEach(() => {
  host.destroy();
});

/** Lets every start of this release fail, with this container to blame and these last words of it. */
function breakRelease(id: string, words: string): void {
  host.answer(`compose*/releases/${id}/compose.yaml up *`, "container web is unhealthy\n", 1);
  host.answer(
    `compose*/releases/${id}/compose.yaml ps --all *`,
    "web|running|unhealthy|0\nseed|exited||0\ndb|running|healthy|0\n",
  );
  host.answer(`compose*/releases/${id}/compose.yaml logs *`, words);
}

describe("a release that is wrong", () => {
  beforeEach(async () => {
    await host.apply(release("r1"));
    host.calls();
  });

  it.each([
    [
      "fails its own validator",
      "compose* run --rm *",
      "cloudcode: release r2 of app is not valid; nothing was touched:",
    ],
    [
      "is refused by Compose",
      "compose* config --quiet",
      "cloudcode: release r2 of app is not valid; nothing was touched:",
    ],
    [
      "needs an image that cannot be pulled",
      "pull *",
      "cloudcode: example/app:1 could not be pulled; is its registry reachable from the host (see registryMirrors, imageRegistry)?",
    ],
    ["cannot be built", "compose* build *", "cloudcode: the image of app could not be built:"],
  ])("since it %s touches nothing that runs", async (_why, pattern, sentence) => {
    host.answer("compose* config --images*", "example/app:1\n");
    host.answer("image inspect *", "", 1);
    host.answer(pattern, "what the tool said\n", 1);
    const plan = { build: ["web"], check: { service: "web", command: "web validate" } };
    expect(await host.apply(release("r2", plan))).toEqual({ status: 1, said: [sentence, "what the tool said"] });
    expect(host.calls().filter((call) => / (up|down|exec|stop) /.test(call))).toEqual([]);
    expect(host.current()).toBe("r1");
    expect(host.list("releases")).toEqual(["current", "r1"]);
  });

  it("since it does not become healthy gives way to the one before, and the sick service has the last word", async () => {
    breakRelease("r2", "web: cannot open database\n");
    expect(await host.apply(release("r2"))).toEqual({
      status: 1,
      said: [
        "cloudcode: release r2 of app did not become healthy:",
        "container web is unhealthy",
        "last lines of web:",
        "web: cannot open database",
        "release r1 is running again",
      ],
    });
    expect(
      host
        .calls()
        .filter((call) => / (up|logs) /.test(call))
        .map((call) => call.split(" ").slice(0, 2).join(" ")),
    ).toEqual(["compose[r2] up", "compose[r2] logs", "compose[r1] up"]);
    expect(host.current()).toBe("r1");
  });

  it("and whose predecessor does not come back either says where the log is", async () => {
    breakRelease("r2", "");
    breakRelease("r1", "");
    const { status, said } = await host.apply(release("r2"));
    expect([status, said.at(-1)]).toEqual([
      1,
      `release r1 could not be started again: see ${host.folder}/logs/app.log on the host`,
    ]);
  });
});

describe("a first release that does not become healthy", () => {
  it("is taken down, since there is none to go back to", async () => {
    breakRelease("r1", "no\n");
    const { status, said } = await host.apply(release("r1"));
    expect([status, said.at(-1)]).toEqual([1, "there was no earlier release to go back to"]);
    expect(
      host
        .calls()
        .filter((call) => / (up|down) /.test(call))
        .map((call) => call.split(" ")[1]),
    ).toEqual(["up", "down"]);
    expect(host.current()).toBeUndefined();
  });
});

describe("a release that fails while a network has more ends than containers", () => {
  it.each([
    ["starts once more when the end that was left behind is gone", true, ["r2", "r2"]],
    ["gives way to the one before if it fails again", false, ["r2", "r2", "r1"]],
  ])("%s", async (_what, healed, starts) => {
    await host.apply(release("r1"));
    host.calls();
    host.answer("network ls *", "0123456789ab\n");
    host.answer("network inspect --format {{len .Containers}} 0123456789ab", "2\n");
    const ports = join(host.folder, "interfaces", "br-0123456789ab", "brif");
    mkdirSync(ports, { recursive: true });
    for (const port of ["veth1", "veth2", "veth3"]) writeFileSync(join(ports, port), "");
    const failing = host.answer("compose*/releases/r2/compose.yaml up *", "container web is unhealthy\n", 1);
    host.install("sleep", `#!/bin/sh\nrm ${ports}/veth3 ${healed ? failing : ""}\n`);
    expect((await host.apply(release("r2"))).status).toBe(healed ? 0 : 1);
    const calls = host.calls().filter((call) => / up /.test(call));
    expect(calls.map((call) => /\[(\w+)\]/.exec(call)?.[1])).toEqual(starts);
    expect(host.current()).toBe(healed ? "r2" : "r1");
  });
});

describe("the last words of a sick service", () => {
  it("hold no secret of the release and no colours", async () => {
    const secrets = ["s3cret.*[$x]\\1", "two\nlines of it", "$argon2id$v=19$abc"];
    breakRelease(
      "r1",
      "key s3cret.*[$x]\\1 and s3cret.*[$x]\\1; \u001b[31mlines of it\u001b[0m\nhash=$argon2id$v=19$abc. two\n",
    );
    const { said } = await host.apply(release("r1", {}, secrets));
    expect(said.slice(2, 5)).toEqual([
      "last lines of web:",
      "key [secret] and [secret]; [secret]",
      "hash=[secret]. two",
    ]);
  });
});

describe("a stack whose data went to another host", () => {
  it("starts here neither by a release nor by a rollback, and can be removed", async () => {
    await host.apply(release("r1"));
    const mark = join(host.stack, "given");
    writeFileSync(mark, "its data went to the stack other at 2026-11-28T12:00:00Z\n");
    host.calls();
    const why =
      "cloudcode: app must not run here: its data went to the stack other at 2026-11-28T12:00:00Z, and it may be in use on one host only. ";
    for (const { status, said } of [await host.apply(release("r2")), host.run(["rollback", "app", "r1"], "")]) {
      expect(status).toBe(1);
      expect(said.join("\n")).toContain(why);
    }
    expect(host.calls()).toEqual([]);
    expect(host.remove("keep-data").said).toEqual(["app is removed"]);
    rmSync(mark, { force: true });
    expect((await host.apply(release("r2"))).status).toBe(0);
  });
});
