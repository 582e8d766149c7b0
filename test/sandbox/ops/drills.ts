import { underLoad } from "../load";
import { type World, eventually, failureOf } from "../world";
import { enrolByCode } from "./enrol";
import { ops, opsStatus } from "./run";

const repository = "/srv/drill/backups";
const program = "/opt/cloudcode/bin/cloudcode-backup";

/** A line of a shell on the host that is restic at the repository; it sees the folder /root/forge as /backup. */
const restic = (words: string) =>
  `(. /opt/cloudcode/backup/settings.sh; docker run --rm --hostname elsewhere --env RESTIC_PASSWORD_FILE=/password --volume ${repository}:/repo \\
    --volume /opt/cloudcode/backup/password:/password:ro --volume /root/forge:/backup --entrypoint restic "$image" --repo /repo ${words})`;

/** The newest backups are restored next to what runs, which never notices; broken ones are red. */
export function drills(world: World): void {
  const left = () =>
    world.onHost(`docker ps --all --quiet --filter label=cloudcode.drill; docker network ls --quiet --filter label=cloudcode.drill
      docker volume ls --quiet --filter label=cloudcode.drill; docker volume ls --quiet | grep drill
      ls -d /var/lib/docker/cloudcode-backup/drill /var/lib/docker/cloudcode-backup/restore 2>/dev/null || true`);
  const check = async () => (await opsStatus(world)).find(({ name }) => name === "drill");

  beforeAll(async () => {
    // The store of the other tests is gone by now.
    world.sandbox.configure({
      backupRepository: repository,
      backupHostKey: undefined,
      backupPrivateKey: undefined,
    });
    await world.up();
  });
  afterAll(async () => {
    const [, kid = ""] = /^\d+ +(\S+) +drilled$/m.exec((await ops(world, ["devices"])).stdout) ?? [];
    await ops(world, ["devices", "remove", kid]);
    world.sandbox.configure({ backupRepository: undefined });
    await world.up();
  });

  test("the drill has a timer, and no result yet", async () => {
    expect(await world.onHost("systemctl is-enabled cloudcode-drill.timer")).toBe("enabled");
    expect(await check()).toMatchObject({ state: "none" });
    expect(await failureOf(ops(world, ["drill"]))).toContain("there is no backup repository at");
    expect(await check()).toMatchObject({
      state: "red",
      seen: expect.stringContaining("no backup repository") as string,
    });
  });

  test("a drill brings up every App with its data and the passkey, while 1,000 requests of the living home are answered", async () => {
    await enrolByCode(world, "drilled");
    await ops(world, ["backup"]);
    const before = await world.containers();
    const told = { said: "" };
    const load = await underLoad(world, { subdomain: "auth", path: "/" }, async () => {
      const drill = ops(world, ["drill"]);
      const walls = await world.onHost(`container=cloudcode-drill-opencode-server-1
        timeout 240 sh -c "until docker inspect $container >/dev/null 2>&1; do sleep 0.2; done"
        docker inspect --format '{{json .HostConfig.PortBindings}} {{json .HostConfig.Binds}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' $container
        docker network inspect --format '{{.Internal}}' cloudcode-drill-opencode_walls
        docker exec $container sh -c 'curl -sS -m 5 -o /dev/null http://${world.sandbox.host.gateway}:1/ 2>&1; getent hosts example.com || echo no names'`);
      told.said = (await drill).stdout;
      expect(walls).toMatch(/^(\{\}|null) .* cloudcode-drill-opencode_walls\ntrue\n/);
      expect(walls).not.toContain("/opt/cloudcode");
      expect(walls).toMatch(/(Network is unreachable|Couldn't connect|Failed to connect|timed out)[^]*no names$/);
    });
    expect(
      told.said
        .trim()
        .split("\n")
        .map((line) => line.split(" with ")[0]),
    ).toEqual(["auth: became healthy", "edge: became healthy", "opencode: became healthy"]);
    expect(load.lost).toEqual([]);
    expect(load.sent).toBeGreaterThanOrEqual(1000);
    process.stderr.write(`drill: ${load.sent} requests, slowest ${load.slowest.toFixed(1)} s\n`);
    expect(await world.containers()).toEqual(before);
    expect(await left()).toBe("");
    expect(await check()).toMatchObject({
      state: "ok",
      seen: expect.stringContaining("from the newest backups: auth, edge, opencode") as string,
    });
    await world.onHost("systemctl start cloudcode-page");
    expect(await world.onHost("jq --compact-output .drill.ok /opt/cloudcode/stacks/edge/page/report.json")).toBe(
      "true",
    );
  });

  /** Makes the newest backup of a stack another one, drills, and takes it back. */
  async function forged(app: string, script: string): Promise<string> {
    await world.onHost(`rm -rf /root/forge; mkdir /root/forge
      ${restic(`restore --tag app=${app} latest:/backup --target /backup`)} >/dev/null
      cd /root/forge && { ${script}; }
      ${restic(`backup --quiet --host "$host" --tag app=${app} --json /backup`)} >/root/forged.json`);
    const said = await failureOf(ops(world, ["drill", app]));
    const id = await world.onHost(`jq --raw-output 'select(.message_type == "summary").snapshot_id' /root/forged.json`);
    await world.onHost(`${restic(`forget ${id}`)} && rm -rf /root/forge`);
    return said;
  }
  const ofRepository = async (breaks: string, mends: string) => {
    await world.onHost(breaks);
    const said = await failureOf(ops(world, ["drill", "auth"]));
    await world.onHost(mends);
    return said;
  };
  const largest = `$(find ${repository}/data -type f -printf '%s %p\\n' | sort -rn | head -n 1 | cut -d ' ' -f 2)`;

  test.each<[string, () => Promise<string>, RegExp]>([
    [
      "another password",
      () =>
        ofRepository(
          "cd /opt/cloudcode/backup && cp -p password password.kept && printf wrong >password",
          "cd /opt/cloudcode/backup && mv password.kept password",
        ),
      /cannot be opened: .*wrong password/,
    ],
    [
      "no key of the repository",
      () =>
        ofRepository(
          `mv ${repository}/keys /root/keys && mkdir ${repository}/keys`,
          `rmdir ${repository}/keys && mv /root/keys ${repository}/`,
        ),
      /cannot be opened: /,
    ],
    [
      "no index of the repository",
      () =>
        ofRepository(
          `mv ${repository}/index /root/index && mkdir ${repository}/index`,
          `rmdir ${repository}/index && mv /root/index ${repository}/`,
        ),
      /the repository is damaged: /,
    ],
    [
      "a missing pack",
      () =>
        ofRepository(
          `f=${largest}; echo "$f" >/root/pack; mv "$f" /root/kept-pack`,
          `mv /root/kept-pack "$(cat /root/pack)"`,
        ),
      /the repository is damaged: /,
    ],
    [
      "no key of the gateway",
      () => forged("auth", "rm volumes/config/encryption-key"),
      /config\/encryption-key is missing/,
    ],
    [
      "another key of the gateway",
      () =>
        forged(
          "auth",
          "chmod u+w volumes/config/encryption-key; tr a-y b-z <volumes/config/encryption-key >k && cat k >volumes/config/encryption-key",
        ),
      /it does not become healthy with the data of its backup: .*authelia|another one now/,
    ],
    [
      "a torn database of the gateway",
      () => forged("auth", "truncate -s 100 volumes/config/db.sqlite3"),
      /it does not become healthy with the data of its backup: |damaged|another one now/,
    ],
    [
      "half a volume",
      () =>
        forged(
          "opencode",
          "mkdir -p volumes/workspace; find volumes/data volumes/home -type f | awk 'NR % 2' | tr '\\n' '\\0' | xargs -0 rm -f",
        ),
      /volume (home|data) has \d+ of \d+ files/,
    ],
    ["data of a newer format", () => forged("opencode", "echo 9 >stack/format"), /data of a newer format/],
    ["no word of what it must have", () => forged("edge", "rm proof"), /does not say what must be in it/],
  ])("a backup with %s is red, and the living home does not notice", async (_what, drill, words) => {
    const before = await world.containers();
    expect(await drill()).toMatch(words);
    expect(await world.containers()).toEqual(before);
    expect(await left()).toBe("");
  });

  test("a torn database in a workspace is red, in the status too, and the next good drill ends that", async () => {
    const folder = "/var/lib/docker/volumes/cloudcode-opencode_workspace/_data";
    await world.onHost(`sqlite3 ${folder}/torn.db "create table t (a); with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into t select i from n"
      dd if=/dev/urandom of=${folder}/torn.db bs=4096 seek=3 count=2 conv=notrunc 2>/dev/null; chown 1000:1000 ${folder}/torn.db`);
    await ops(world, ["backup", "opencode"]);
    expect(await failureOf(ops(world, ["drill"]))).toContain("database workspace/torn.db is damaged");
    expect(await check()).toMatchObject({
      state: "red",
      seen: expect.stringContaining("failed: opencode: ") as string,
    });
    await world.onHost(`rm ${folder}/torn.db`);
    await ops(world, ["backup", "opencode"]);
    await ops(world, ["drill"]);
    expect(await check()).toMatchObject({ state: "ok" });
  });

  test("a drill that is killed is gone at once by the timer's service, and by the next command", async () => {
    const begun = `timeout 120 sh -c 'until [ -n "$(docker ps --quiet --filter label=cloudcode.drill)" ]; do sleep 0.2; done'`;
    await world.onHost(`systemctl start --no-block cloudcode-drill\n${begun}\nsystemctl kill -s KILL cloudcode-drill`);
    expect(await eventually(60, async () => (await left()) === "")).toBe(true);
    expect(await check()).toMatchObject({ state: "red", seen: expect.stringContaining("it was cut off") as string });
    await world.onHost(
      `systemd-run --quiet --collect --unit drilling ${program} drill\n${begun}\nsystemctl kill -s KILL drilling`,
    );
    expect(await left()).not.toBe("");
    await world.onHost(`${program} recover`);
    expect(await left()).toBe("");
    await ops(world, ["drill"]);
    expect(await check()).toMatchObject({ state: "ok" });
  });
}
