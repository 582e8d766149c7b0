import { releasePayload } from "../../../components/stack/payload";
import type { Release } from "../../../components/stack/release";
import type { World } from "../world";
import { opsStatus } from "./run";

const name = "formats";
const stack = `/opt/cloudcode/stacks/${name}`;
const kept = `/var/lib/docker/cloudcode-formats/${name}/kept`;
const folder = (volume: string) => `/var/lib/docker/volumes/cloudcode-${name}_${volume}/_data`;

/** A version of an App: it starts on data of its own format, migrates an older one for good, and ends at a newer one. */
function version(id: string, number: number, image: string, healthy = true): Release {
  const script = [
    "read -r format </data/format || format=0",
    `[ "$format" -le ${number} ] || exit 1`,
    `[ "$format" = ${number} ] || { echo ${number} >/data/format; echo "migrated by ${id}" >>/data/log; }`,
    healthy ? "touch /tmp/healthy" : `echo "broken by ${id}" >>/data/log`,
    "exec sleep 3600",
  ].join("; ");
  const compose = {
    services: {
      app: {
        image,
        entrypoint: ["/bin/sh", "-c", script.replaceAll("$", () => "$$")],
        command: [],
        user: "0:0",
        init: true,
        restart: "unless-stopped",
        cap_drop: ["ALL"],
        cap_add: ["DAC_OVERRIDE"],
        network_mode: "none",
        volumes: ["data:/data", "workspace:/workspace"],
        healthcheck: { test: ["CMD", "test", "-e", "/tmp/healthy"], interval: "1s", retries: 5, start_period: "2s" },
      },
    },
    volumes: { data: {}, workspace: {} },
  };
  return {
    id,
    digests: [],
    secrets: [],
    files: [{ path: "compose.yaml", content: JSON.stringify(compose), mode: 0o400, owner: 0 }],
    plan: { networks: [], dataFormat: { number, volumes: ["data"] }, healthTimeout: 30 },
  };
}

/**
 * A new format of an App's data, on a real host with real containers: the host keeps the earlier data, and version and data go back
 * together. With and without backups, so after a test that sets them.
 */
export function formats(world: World): void {
  let image = "";
  const host = async (words: string, input?: string) => {
    const line = `/opt/cloudcode/bin/cloudcode-host ${words} 2>&1; echo "code $?"`;
    const { stdout } = await world.sandbox.exec(["sh", "-c", line], input === undefined ? {} : { input });
    return stdout.trim().split("\n");
  };
  const apply = async (release: Release) => host(`apply ${name} ${release.id}`, await releasePayload(release));
  const log = () => world.onHost(`cat ${folder("data")}/log`);
  const write = (word: string) =>
    world.onHost(`for volume in ${folder("data")} ${folder("workspace")}; do echo ${word} >>$volume/log; done`);
  const withoutBackups = async (action: () => Promise<void>) => {
    await world.onHost("mv /opt/cloudcode/backup /opt/cloudcode/backup.kept");
    await action().finally(() => world.onHost("mv /opt/cloudcode/backup.kept /opt/cloudcode/backup"));
  };

  beforeAll(async () => {
    image = await world.onHost("docker inspect --format '{{.Config.Image}}' cloudcode-opencode-server-1");
  });
  afterAll(() => host(`remove ${name} delete-data`));

  test.each([
    ["in a folder of root's", false],
    ["in a backup", true],
  ])("a new format keeps the earlier data %s, and rollback brings version and data back", async (_where, backups) => {
    const steps = async () => {
      expect((await apply(version("aaaaaaaaaaa1", 1, image))).at(-1)).toBe("code 0");
      await world.onHost(
        `chown 1000:1000 ${folder("data")}; chmod 750 ${folder("data")}; ln -s /etc/shadow ${folder("data")}/link`,
      );
      await write("first");
      // A version that does not become healthy: all as before.
      const failed = await apply(version("bbbbbbbbbbb2", 2, image, false));
      expect(failed.slice(-3)).toEqual([
        `the data of ${name} has format 1 again, as before the update`,
        "release aaaaaaaaaaa1 is running again",
        "code 1",
      ]);
      expect(await log()).toBe("migrated by aaaaaaaaaaa1\nfirst");
      const done = await apply(version("ccccccccccc2", 2, image));
      expect(done.at(-1)).toBe("code 0");
      expect(done.join("\n")).toMatch(
        backups ? /a copy of it is kept in the backup [0-9a-f]{8}/ : /a copy of it is kept on the host, 1 MiB/,
      );
      expect(await log()).toBe("migrated by aaaaaaaaaaa1\nfirst\nmigrated by ccccccccccc2");
      expect(await world.onHost(`stat -c '%u %a' ${kept}/../..; ls ${kept}`)).toBe(
        backups ? "0 700\nformat\nnames\nrelease\nsnapshot\ntime" : "0 700\nformat\nmib\nrelease\ntime\nvolumes",
      );
      await write("second");
      expect((await apply(version("ddddddddddd2", 2, image))).at(-1)).toBe("code 0");
      const check = (await opsStatus(world)).find((one) => one.name === `kept data ${name}`);
      expect(check?.seen).toMatch(
        /^format 1, left \d{4}-\d\d-\d\d, .*rollback formats aaaaaaaaaaa1 brings it back with its version; .*drop-copy formats deletes it$/,
      );
      expect((await host(`rollback ${name} aaaaaaaaaaa1`)).slice(-2)).toEqual([
        `release aaaaaaaaaaa1 of ${name} is running and replaces ddddddddddd2`,
        "code 0",
      ]);
      expect(await log()).toBe("migrated by aaaaaaaaaaa1\nfirst");
      // The data is back as it was, and what is no data of a format stays.
      expect(await world.onHost(`stat -c '%u:%g %a' ${folder("data")}; readlink ${folder("data")}/link`)).toBe(
        "1000:1000 750\n/etc/shadow",
      );
      expect(await world.onHost(`cat ${folder("workspace")}/log`)).toBe("first\nsecond");
      expect(await world.onHost(`cat ${kept}/volumes/data/log`)).toContain("second");
      expect((await host(`rollback ${name}`)).at(-1)).toBe("code 0");
      expect(await log()).toContain("second");
      expect(await world.onHost(`docker inspect --format '{{.State.Health.Status}}' cloudcode-${name}-app-1`)).toBe(
        "healthy",
      );
      expect(await host(`remove ${name} delete-data`)).toEqual([`${name} is removed`, "code 0"]);
      expect(
        await world.onHost(`ls -d ${stack} ${kept}/.. 2>/dev/null; docker volume ls --quiet | grep ${name} || true`),
      ).toBe("");
    };
    await (backups ? steps() : withoutBackups(steps));
  });

  test("a host that is rebooted while the data changes places has the one or the other, and the next rollback does it", async () => {
    await withoutBackups(async () => {
      await apply(version("aaaaaaaaaaa1", 1, image));
      await write("first");
      await apply(version("ccccccccccc2", 2, image));
      await write("second");
      // Killed at the moment when the data is aside; the unit that a boot runs puts it back.
      const rollback = host(`rollback ${name}`);
      await world.onHost(`timeout 60 sh -c 'until [ -e ${folder("data")}.before ]; do sleep 0.01; done' || true
        pkill -KILL -f '[c]loudcode-backup exchange' || true`);
      await rollback;
      await world.onHost("systemctl restart cloudcode-recover");
      const [format, written] = [await world.onHost(`cat ${folder("data")}/format`), await log()];
      expect(written.includes("second")).toBe(format === "2");
      if (format === "2") expect((await host(`rollback ${name}`)).at(-1)).toBe("code 0");
      expect(await log()).toBe("migrated by aaaaaaaaaaa1\nfirst");
      expect(await world.onHost(`cat ${kept}/volumes/data/log`)).toContain("second");
    });
  });
}
