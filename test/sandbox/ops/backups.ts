import { cacheDir } from "../../../cli/cache";
import type { Say } from "../../../cli/run";
import { type World, eventually, failureOf } from "../world";
import { ops, opsStatus } from "./run";
import { type SftpStore, startStore, stopStore } from "./store";

const volumes = "/var/lib/docker/volumes";
const workspace = `${volumes}/cloudcode-opencode_workspace/_data`;
const database = `${workspace}/app.db`;

/** Data is backed up while everything runs, and comes back; on a machine that never saw it: scenarios/apps-elsewhere.ts. */
export function backups(world: World, name: string, say: Say): void {
  let store: SftpStore;
  const row = () => world.onHost(`sqlite3 ${database} 'select word from words'`);
  beforeAll(async () => {
    store = await startStore(name, world.sandbox.host.gateway, cacheDir, say);
  });
  afterAll(() => stopStore(name));

  test("a stack without backups says so", async () => {
    expect(await failureOf(ops(world, ["backup"]))).toContain("this stack has no backups: set backupRepository");
  });

  test("backups are made on a schedule, and by hand while everything keeps running", async () => {
    world.sandbox.configure({ backupRepository: store.repository, backupHostKey: store.hostKey });
    await world.sandbox.pulumi(["config", "set", "--secret", "backupPrivateKey"], { input: store.privateKey });
    await world.up();
    expect(await world.onHost("systemctl is-enabled cloudcode-backup.timer cloudcode-recover")).toBe(
      "enabled\nenabled",
    );
    await world.onHost(
      `printf 'kept: ä "quote" $x\\n' >'${workspace}/a, "b".txt' && chown 1000:1000 '${workspace}/a, "b".txt'
       sqlite3 ${database} 'pragma journal_mode=wal; create table words(word); insert into words values("first")' >/dev/null && chown 1000:1000 ${workspace}/app.db*`,
    );
    const before = await world.containers();
    const { stdout } = await ops(world, ["backup"]);
    expect(stdout.trim().split("\n").slice(-3)).toEqual([
      "auth is backed up",
      "edge is backed up",
      "opencode is backed up",
    ]);
    expect(await world.containers()).toEqual(before);
    const listed = (await ops(world, ["snapshots"])).stdout.trim().split("\n");
    expect(listed.map((line) => line.split(/ +/).at(-1))).toEqual(["auth", "edge", "opencode"]);
    const checks = await opsStatus(world);
    expect(checks.find((check) => check.name === "backup")).toMatchObject({ state: "ok" });
  });

  test("switched off there are none, and on again the earlier ones are there", async () => {
    world.sandbox.configure({ backupRepository: undefined, backupHostKey: undefined });
    await world.sandbox.pulumi(["config", "rm", "backupPrivateKey"]);
    await world.up();
    expect(await world.onHost("systemctl is-enabled cloudcode-backup.timer || true")).not.toContain("enabled");
    expect(await failureOf(ops(world, ["backup"]))).toContain("this stack has no backups");
    world.sandbox.configure({ backupRepository: store.repository, backupHostKey: store.hostKey });
    await world.sandbox.pulumi(["config", "set", "--secret", "backupPrivateKey"], { input: store.privateKey });
    await world.up();
    expect((await ops(world, ["snapshots"])).stdout).toContain("opencode");
    // What the host knew of its last backup went with them.
    expect((await opsStatus(world)).find((check) => check.name === "backup")).toMatchObject({
      state: "red",
      fix: "npm run ops -- backup makes one now",
    });
    await ops(world, ["backup"]);
  });

  test("a restore over newer data says which, does nothing, and with --force keeps what it replaced", async () => {
    await world.onHost(`sleep 1; sqlite3 ${database} 'update words set word="second"'; echo new >${workspace}/new.txt`);
    const words = await failureOf(ops(world, ["restore", "--app", "opencode"]));
    expect(words).toContain("opencode has data that is newer than the snapshot");
    expect(words).toContain("--force replaces newer data with the snapshot");
    expect(await row()).toBe("second");
    const { stderr } = await ops(world, ["restore", "--app", "opencode", "--force"]);
    expect(stderr).toContain("opencode is backed up (before-restore)");
    expect(await row()).toBe("first");
    expect(await world.onHost(`ls ${workspace}/new.txt 2>/dev/null || echo gone`)).toBe("gone");
    expect(await world.onHost(`cat '${workspace}/a, "b".txt'`)).toBe('kept: ä "quote" $x');
    const at = new Date().toISOString();
    await ops(world, ["restore", "--app", "opencode", "--at", at, "--force"]);
    expect(await row()).toBe("second");
  });

  test("a backup or a restore that is cut off leaves the running Apps as they were", async () => {
    const before = await world.containers();
    await world.onHost(`systemctl start --no-block cloudcode-backup
      timeout 60 sh -c 'until docker ps --format {{.Names}} | grep -qx cloudcode-restic; do sleep 0.1; done'
      systemctl kill -s KILL cloudcode-backup`);
    expect(await world.containers()).toEqual(before);
    expect(await row()).toBe("second");
    // Killed at the moment when the data is aside: the next command, or the next boot, puts it back.
    const restore = failureOf(ops(world, ["restore", "--app", "opencode", "--force"]));
    await world.onHost(`timeout 60 sh -c 'until [ -e ${workspace}.before ]; do sleep 0.02; done'
      pkill -KILL -f '[c]loudcode-backup overwrite'`);
    expect(await restore).toContain("not restored: opencode");
    await world.onHost("systemctl restart cloudcode-recover");
    expect(await row()).toBe("second");
    expect(await eventually(60, async () => (await world.request("code", "/")).status !== 502)).toBe(true);
    expect((await ops(world, ["history", "-n", "1"])).stdout).toContain("cut off, runs with what it had");
  });

  test("a full disk or a wrong repository is reported, and nothing is touched", async () => {
    await world.onHost(
      "mkdir -p /var/lib/docker/cloudcode-backup; mount -t tmpfs -o size=100m tmpfs /var/lib/docker/cloudcode-backup",
    );
    const full = await failureOf(ops(world, ["backup", "opencode"]));
    await world.onHost("umount /var/lib/docker/cloudcode-backup");
    expect(full).toMatch(/the disk is full: \d+ MiB free, 512 MiB needed; no backup was made/);
    await world.onHost("sed -i.kept 's#//home#//nowhere#' /opt/cloudcode/backup/settings.sh");
    const wrong = await failureOf(ops(world, ["backup", "opencode"]));
    await world.onHost("mv /opt/cloudcode/backup/settings.sh.kept /opt/cloudcode/backup/settings.sh");
    expect(wrong).toMatch(/the backup repository sftp:\S+ could not be made|cannot be opened/);
    await ops(world, ["backup", "opencode"]);
  });

  test("a new version is backed up before, and one that does not become healthy gives way to the earlier image and data", async () => {
    const images = world.config()["cloudcode:images"] as Record<string, string>;
    await world.onHost(`sqlite3 ${database} 'update words set word="third"'`);
    // Authelia's store of sessions becomes another program, which never answers.
    const users = () => world.onHost(`sha256sum ${volumes}/cloudcode-auth_config/_data/users.yml`);
    const before = await users();
    world.sandbox.configure({ images: { ...images, valkey: "docker.io/library/caddy:2.11.7-alpine" } });
    const words = await world.upFails();
    world.sandbox.configure({ images });
    expect(words).toMatch(/auth runs with the data of snapshot \w+/);
    expect(words).toMatch(/release \w+ is running again/);
    expect(await users()).toBe(before);
    expect((await ops(world, ["history", "-n", "2"])).stdout).toMatch(
      /auth +restore[^]*auth +apply +\w+ +not healthy, \w+ runs again/,
    );
    expect(await row()).toBe("third");
    await world.onHost(`sqlite3 ${database} 'update words set word="second"'`);
    await world.up();
  });
}
