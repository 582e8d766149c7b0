import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HostMachine, release } from "../support/host-machine";

let host: HostMachine;
beforeEach(async () => {
  host = new HostMachine();
  for (const [id, image] of [
    ["r1", "example/app:1"],
    ["r2", "example/app:2"],
    ["r3", "example/app:1"],
  ] as const)
    host.answer(`compose*/releases/${id}/compose.yaml config --images`, `${image}\n`);
  await host.apply(release("r1"));
  host.calls();
});
afterEach(() => {
  host.destroy();
});

/** Backups are set, and the tool for them keeps what it was called with. */
function withBackups(exitCode = 0, id = "ab12cd34"): void {
  mkdirSync(join(host.folder, "backup"), { recursive: true });
  writeFileSync(join(host.folder, "backup", "settings.sh"), "repository=/mnt\n");
  host.install(
    "cloudcode-backup",
    `#!/bin/sh\necho "$CLOUDCODE_HOLDS: $*" >>'${host.folder}/backups'\necho "said by $1"\n[ $1 != keep ] || echo '${id}'\nexit ${exitCode}\n`,
  );
}
const backups = () => {
  const file = join(host.folder, "backups");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};

describe("a release with another version", () => {
  it("is started after a backup of what it would change", async () => {
    withBackups();
    expect((await host.apply(release("r2"))).status).toBe(0);
    expect(backups()).toEqual(["app: keep app"]);
  });

  it("that does not become healthy gives way to the earlier image and data", async () => {
    withBackups();
    host.answer("compose*/releases/r2/compose.yaml up *", "", 1);
    const { status, said } = await host.apply(release("r2"));
    expect([status, said.slice(-2)]).toEqual([1, ["said by overwrite", "release r1 is running again"]]);
    expect(backups()).toEqual(["app: keep app", "app: overwrite app ab12cd34"]);
    expect(host.current()).toBe("r1");
  });

  it("is not started where that backup fails", async () => {
    withBackups(1);
    const { status, said } = await host.apply(release("r2"));
    expect(status).toBe(1);
    expect(said.at(-1)).toBe(
      "cloudcode: release r2 of app has another version, and there is no backup of what it would change; nothing was touched",
    );
    expect(host.calls().filter((call) => call.includes(" up "))).toEqual([]);
    expect(host.list("releases")).toEqual(["current", "r1"]);
  });

  it.each(["jq: error (at <stdin>:0): Cannot index number", "null", "", "ab12cd34 was kept"])(
    "is not started where the backup has no id but says %j",
    async (words) => {
      withBackups(0, words);
      const { status, said } = await host.apply(release("r2"));
      expect([status, said.at(-1)]).toEqual([
        1,
        "cloudcode: release r2 of app has another version, and there is no backup of what it would change; nothing was touched",
      ]);
      expect(host.calls().filter((call) => call.includes(" up "))).toEqual([]);
    },
  );

  it("is started as ever where no backups are set", async () => {
    expect((await host.apply(release("r2"))).status).toBe(0);
    expect(backups()).toEqual([]);
  });
});

describe("a release of the same version", () => {
  it("needs no backup, and keeps its data when it does not become healthy", async () => {
    withBackups();
    host.answer("compose*/releases/r3/compose.yaml up *", "", 1);
    expect((await host.apply(release("r3"))).status).toBe(1);
    expect(backups()).toEqual([]);
  });
});
