import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseHistory } from "../../ops/commands/history";
import { sidesIn } from "../../ops/move/refusals";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
let data: string;
beforeEach(() => {
  host = new HostMachine();
  const folder = host.withVolumes(["data"], "");
  data = folder("data");
  host.withVolumes([], `echo "ran $1" >>${data}/log`);
  host.answer("compose* config --services", "web\ndb\n");
  mkdirSync(join(host.folder, "backup"), { recursive: true });
  writeFileSync(
    join(host.folder, "backup", "settings.sh"),
    "repository=s3:https://example.com/b\nimage=example/restic:1\nhost=home\nkeep_daily=7\nkeep_weekly=5\nkeep_monthly=6\n",
  );
});
afterEach(() => {
  host.destroy();
});

const standby = () => {
  mkdirSync(join(host.folder, "stacks"), { recursive: true });
  writeFileSync(join(host.folder, "stacks", ".standby"), "yes\n");
};
const file = (name: string) => join(host.stack, name);
const side = () => sidesIn(host.backup("places").said.join("\n")).get("app");
const ups = () => host.calls().filter((call) => / up /.test(call));
const log = () => readFileSync(join(data, "log"), "utf8").trim().split("\n");
const id = "1".padStart(64, "0");
const lines = () =>
  parseHistory(readFileSync(join(host.folder, "stacks", ".history"), "utf8")).map(
    ({ action, release: which, result }) => `${action} ${which} ${result}`,
  );

describe("a host on standby", () => {
  beforeEach(standby);

  it("gives a release its place, and starts nothing, however often it is applied", async () => {
    for (const one of ["r1", "r1", "r2"]) {
      const { status, said } = await host.apply(release(one));
      expect([status, said]).toEqual([0, [`release ${one} of app is here and does not run: this host is on standby`]]);
      expect(ups()).toEqual([`compose[${one}] up --no-start --remove-orphans --quiet-pull --no-build`]);
    }
    expect(host.current()).toBe("r2");
    expect(existsSync(join(data, "log"))).toBe(false);
    expect(side()).toEqual({ does: "stopped" });
    expect(host.list("stopped")).toEqual(["all", "db", "web"]);
    expect(lines()).toEqual(["apply r1 on standby", "apply r1 on standby", "apply r2 on standby"]);
  });

  it("whose first release was cut off does not start it with the next", async () => {
    host.answer("compose* up --no-start *", "no space left\n", 1);
    expect((await host.apply(release("r1"))).said).toEqual([
      "cloudcode: the containers of app could not be made: no space left",
    ]);
    host.answer("compose* up --no-start *", "");
    host.calls();
    await host.apply(release("r1"));
    expect(ups()).toEqual(["compose[r1] up --no-start --remove-orphans --quiet-pull --no-build"]);
  });

  it("starts an App with the data that is brought, without a backup of what it had, and says with which", async () => {
    await host.apply(release("r1"));
    writeFileSync(join(data, "db"), "of the former host\n");
    host.backup("run");
    writeFileSync(join(data, "db"), "its own\n");
    host.calls();
    expect(host.backup("overwrite", "app", id)).toEqual({
      status: 0,
      said: [`app runs with the data of snapshot ${id}`],
    });
    expect(host.calls().filter((call) => call.includes(" backup "))).toEqual([]);
    expect(readFileSync(join(data, "db"), "utf8")).toBe("of the former host\n");
    expect(log()).toEqual(["ran r1"]);
    expect(side()).toEqual({ does: "on", arrived: id });
    // From now on it is an App that runs.
    await host.apply(release("r2"));
    expect(log()).toEqual(["ran r1", "ran r2"]);
  });

  it("starts nothing with what it had where the data does not become healthy", async () => {
    await host.apply(release("r1"));
    host.backup("run");
    writeFileSync(join(data, "db"), "its own\n");
    host.withVolumes([], `echo "ran $1" >>${data}/log; exit 1`);
    const { status, said } = host.backup("overwrite", "app", id);
    expect(status).toBe(1);
    expect(said.join()).toContain(`app did not become healthy with the data of snapshot ${id}`);
    expect(readFileSync(join(data, "db"), "utf8")).toBe("its own\n");
    expect(existsSync(join(data, "log"))).toBe(false);
    expect(side()).toEqual({ does: "stopped" });
  });

  it("takes a release of what it has given away, which stays stopped", async () => {
    rmSync(join(host.folder, "stacks", ".standby"));
    await host.apply(release("r1"));
    host.backup("give", "app", "other");
    standby();
    host.calls();
    expect((await host.apply(release("r2"))).status).toBe(0);
    expect(ups()).toEqual(["compose[r2] up --no-start --remove-orphans --quiet-pull --no-build"]);
    expect(side()?.does).toBe("given");
    rmSync(join(host.folder, "stacks", ".standby"));
    expect((await host.apply(release("r3"))).said.join()).toContain("app must not run here");
  });
});

describe("the last backup of an App that moves", () => {
  const services = () => host.calls().filter((call) => /^compose.* stop | backup --quiet |^rm .*c1$/.test(call));
  beforeEach(async () => {
    await host.apply(release("r1"));
    writeFileSync(join(data, "db"), "last words\n");
    host.calls();
  });

  it("is made when nothing writes any more, and then nothing starts it here again", async () => {
    host.answer("ps *", "c1\n");
    const { status, said } = host.backup("yield", "app", "other");
    expect([status, said]).toEqual([
      0,
      ["app is backed up", "app is stopped here: its data goes to the stack other", id],
    ]);
    const calls = services();
    expect(calls[0]).toMatch(/stop web db$/);
    expect(calls[1]).toContain(" backup --quiet ");
    expect(calls.slice(2)).toEqual(["rm --force c1"]);
    expect(side()).toEqual({ does: "given", yielded: id });
    expect((await host.apply(release("r2"))).said.join()).toContain(
      "app must not run here: its data went to the stack other",
    );
    // The nightly backups leave it out; asked again, it says the same and makes none.
    host.calls();
    expect(host.backup("run").status).toBe(0);
    expect(host.backup("yield", "app", "other").said).toEqual([id]);
    expect(host.calls().filter((call) => call.includes(" backup "))).toEqual([]);
  });

  it("has a dump of a database that runs, and all else is stopped", () => {
    writeFileSync(join(host.stack, "releases", "r1", "plan"), "dump db data pg_dumpall\n");
    host.answer("compose* exec -T db pg_dumpall", "rows\n");
    expect(host.backup("yield", "app", "other").status).toBe(0);
    const calls = host.calls();
    const stop = calls.findIndex((call) => / stop web$/.test(call));
    const dump = calls.findIndex((call) => call.includes("pg_dumpall"));
    expect([stop >= 0, dump > stop]).toEqual([true, true]);
  });

  it("that fails, or lacks something, leaves it running here", () => {
    host.answer("run * --name cloudcode-worker *", "", 1);
    const { status, said } = host.backup("yield", "app", "other");
    expect(status).toBe(1);
    expect(said.join()).toContain("the backup of app is not whole, and it runs on");
    expect(side()).toEqual({ does: "on" });
    expect(log().at(-1)).toBe("ran r1");
    expect(existsSync(file("yielding"))).toBe(false);
  });

  it("that was cut off is half of one, which resume ends, and which is done again", () => {
    writeFileSync(file("yielding"), "");
    expect(side()).toEqual({ does: "half" });
    expect(host.backup("resume", "app")).toEqual({ status: 0, said: ["app runs again"] });
    expect(side()).toEqual({ does: "on" });
    writeFileSync(file("yielding"), "");
    expect(host.backup("yield", "app", "other").status).toBe(0);
    expect(side()).toEqual({ does: "given", yielded: id });
  });

  it("is taken back by resume, and by a newer one of the other host", () => {
    host.backup("yield", "app", "other");
    expect(host.backup("resume", "app").status).toBe(0);
    expect(side()).toEqual({ does: "on" });
    host.backup("yield", "app", "other");
    expect(host.backup("overwrite", "app", id).status).toBe(0);
    expect(side()).toEqual({ does: "on", arrived: id });
  });
});

describe("data that goes ahead", () => {
  it("is unpacked next to what runs, and the restore is made on top of it", async () => {
    await host.apply(release("r1"));
    writeFileSync(join(data, "db"), "first\n");
    host.backup("run");
    const { status } = host.backup("ahead", "app", id);
    expect(status).toBe(0);
    const ahead = join(host.dockerRoot, "cloudcode-backup/ahead/app");
    expect(readFileSync(join(ahead, "volumes/data/db"), "utf8")).toBe("first\n");
    expect(side()).toEqual({ does: "on" });
    const restores = () => host.calls().filter((call) => call.includes(" restore "));
    expect(restores()).toEqual([expect.not.stringContaining("--delete")]);
    expect(host.backup("overwrite", "app", id).status).toBe(0);
    expect(restores()).toEqual([expect.stringContaining(" --delete ")]);
    expect(existsSync(ahead)).toBe(false);
  });

  it("is gone where the move was given up, and so is the word that the edge answers with", async () => {
    await host.apply(release("r1"));
    host.backup("run");
    host.backup("ahead", "app", id);
    host.backup("shut");
    const word = join(host.folder, "stacks/edge/page/moving");
    expect(existsSync(word)).toBe(true);
    expect(host.backup("reopen").status).toBe(0);
    expect([existsSync(word), existsSync(join(host.dockerRoot, "cloudcode-backup/ahead"))]).toEqual([false, false]);
  });
});
