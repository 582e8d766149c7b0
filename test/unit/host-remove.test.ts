import { existsSync } from "node:fs";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
beforeEach(async () => {
  host = new HostMachine();
  await host.apply(release("r1"));
  host.calls();
  const label = "label=com.docker.compose.project=cloudcode-app";
  host.answer(`ps --all --quiet --filter ${label}`, "c1\nc2\n");
  host.answer(`network ls --quiet --filter ${label}`, "n1\n");
  host.answer("network ls --quiet --filter label=cloudcode.edge=app", "n2\n");
  host.answer("network inspect --format * n2", "caddy \n");
  host.answer(`volume ls --quiet --filter ${label}`, "v1\n");
  host.answer("compose* config --images", "example/app:1\nexample/app:1\n");
});
afterEach(() => {
  host.destroy();
});

describe("a stack that is removed", () => {
  it("keeps its data, and takes its containers, networks, images and files along", () => {
    expect(host.remove("keep-data")).toEqual({ status: 0, said: ["app is removed"] });
    const calls = host.calls().filter((call) => /^(stop|rm|network (rm|disconnect)|image rm|volume)/.test(call));
    expect(calls).toEqual([
      "stop --time 30 c1",
      "rm --force c1",
      "stop --time 30 c2",
      "rm --force c2",
      "network rm n1",
      "network disconnect --force n2 caddy",
      "network rm n2",
      "image rm example/app:1",
    ]);
    expect(existsSync(host.stack)).toBe(false);
  });

  it("loses its data only where that was asked for", () => {
    expect(host.remove("delete-data").status).toBe(0);
    expect(host.calls()).toContain("volume rm v1");
  });

  it("may be removed twice, and one that was never there too", () => {
    host.remove("keep-data");
    for (const pattern of ["ps --all *", "network ls *", "volume ls *"]) host.answer(pattern, "");
    expect(host.remove("keep-data")).toEqual({ status: 0, said: ["app is removed"] });
  });

  it("says which container stays where Docker cannot remove one", () => {
    host.answer("rm --force c1", "", 1);
    expect(host.remove("keep-data")).toEqual({
      status: 1,
      said: [`cloudcode: container c1 of app could not be removed: see ${host.folder}/logs/app.log`],
    });
    expect(existsSync(host.stack)).toBe(true);
  });
});

describe("two changes of one stack at once", () => {
  it("do not mix: the second waits, and says so when its patience ends", async () => {
    const release1 = await host.hold();
    expect(host.remove("keep-data")).toEqual({
      status: 1,
      said: [`cloudcode: another change of app has been running for 1 s; see ${host.folder}/logs/app.log`],
    });
    expect(host.calls()).toEqual([]);
    release1();
  });

  it("of different stacks do not wait for each other", async () => {
    const letGo = await host.hold();
    expect(host.run(["remove", "other", "keep-data"], "")).toEqual({ status: 0, said: ["other is removed"] });
    letGo();
  });
});
