import { setTimeout as sleep } from "node:timers/promises";
import { cacheDir } from "../../../cli/cache";
import type { Say } from "../../../cli/run";
import { moveAway } from "../apps/move";
import { type AppsWorld, appSecrets } from "../apps/world";
import { ops } from "../ops/run";
import { type SftpStore, startStore, stopStore } from "../ops/store";
import { eventually, failureOf } from "../world";
import type { Box, Liteboxd } from "./liteboxd";

const volumes = "/var/lib/docker/volumes/cloudcode-lwsandbox_";
const state = `${volumes}cluster/_data/server/db/state.db`;
const other = "other";

/**
 * Users, keys, sandboxes and the cluster's own state come back: on the same machine, and on one that never saw them.
 *
 * @param kept a sandbox that is there from before
 * @param prepare makes a new machine ready
 */
export function lwsandboxBackup(
  world: AppsWorld,
  liteboxd: Liteboxd,
  kept: () => Box,
  { name, say, prepare }: { readonly name: string; readonly say: Say; readonly prepare: () => Promise<unknown> },
): void {
  let store: SftpStore;
  const tokenKey = () => world.onHost(`sha256sum <${volumes}keys/_data/token`);
  const k3s = () => world.onHost("systemctl show -p MainPID --value cloudcode-k3s");
  const answers = (box: Box) => eventually(60, async () => (await liteboxd.inside(box)).status === 200);
  /** These sandboxes, and no others, are known to liteboxd and run in the cluster. */
  const onlyThese = async (...boxes: readonly Box[]) => {
    const ids = boxes.map(({ id }) => id).sort();
    expect((await liteboxd.ids()).sort()).toEqual(ids);
    for (const box of boxes) expect([box.id, await answers(box)]).toEqual([box.id, true]);
    expect((await liteboxd.pods()).sort()).toEqual(ids.map((id) => `sandbox-${id}`));
  };

  beforeAll(async () => {
    store = await startStore(name, world.sandbox.host.gateway, cacheDir, say);
    world.sandbox.configure({ backupRepository: store.repository, backupHostKey: store.hostKey });
    await world.setSecrets({ backupPrivateKey: store.privateKey });
    await world.up();
  });
  afterAll(() => stopStore(name));

  test("a backup is made while k3s, liteboxd and every sandbox keep answering", async () => {
    const before = { containers: await world.containers(), k3s: await k3s() };
    const backup = ops(world, ["backup"]);
    const ended = backup.then(
      () => true,
      () => true,
    );
    let asked = 0;
    for (; !(await Promise.race([ended, sleep(100, false)])); asked++) {
      expect((await liteboxd.inside(kept())).status).toBe(200);
      expect(await liteboxd.ids()).toEqual([kept().id]);
    }
    expect((await backup).stdout).toContain("lwsandbox is backed up");
    expect(asked).toBeGreaterThan(10);
    expect({ containers: await world.containers(), k3s: await k3s() }).toEqual(before);
  });

  test("what was damaged since comes back: key, users, sandbox and pod; what was made since does not", async () => {
    const key = await tokenKey();
    const later = await liteboxd.create();
    expect(await answers(later)).toBe(true);
    await world.onHost(`systemctl stop cloudcode-k3s
      dd if=/dev/urandom of=${state} bs=1 seek=16 count=8192 conv=notrunc 2>/dev/null; rm -f ${state}-wal
      echo '{' >${volumes}data/_data/liteboxd.db; rm ${volumes}keys/_data/token`);
    const refused = await failureOf(ops(world, ["restore", "--app", "lwsandbox"]));
    expect(refused).toContain("lwsandbox has data that is newer than the snapshot");
    const { stderr } = await ops(world, ["restore", "--app", "lwsandbox", "--force"]);
    expect(stderr).toMatch(
      /lwsandbox has a database that cannot be read, whose files are kept as they are: .*state\.db/,
    );
    expect(stderr).toContain("lwsandbox runs with the data of snapshot");
    expect(await tokenKey()).toBe(key);
    await onlyThese(kept());
    expect((await liteboxd.inside(later)).status).toBe(404);
    expect((await liteboxd.login(await world.appLogin("lwsandbox"))).status).toBe(200);
  });

  test("a restore that is cut off leaves everything as it was", async () => {
    const later = await liteboxd.create();
    await onlyThese(kept(), later);
    const restore = failureOf(ops(world, ["restore", "--app", "lwsandbox", "--force"]));
    await world.onHost(`timeout 120 sh -c 'until [ -e ${volumes}keys/_data.before ]; do sleep 0.02; done'
      pkill -KILL -f '[c]loudcode-backup overwrite'`);
    expect(await restore).toContain("not restored: lwsandbox");
    await world.onHost("systemctl restart cloudcode-recover");
    await onlyThese(kept(), later);
    expect((await ops(world, ["history", "-n", "1"])).stdout).toContain("cut off, runs with what it had");
    await ops(world, ["backup", "lwsandbox"]);
    const removed = await liteboxd.ask("DELETE", `/api/v1/sandboxes/${later.id}`, liteboxd.withKey);
    expect(removed.status).toBe(202);
  });

  test("on a new machine, in another stack, earlier keys and tokens open the earlier sandboxes", async () => {
    const before = {
      key: await tokenKey(),
      cluster: await liteboxd.kubectl("get namespace kube-system -o 'jsonpath={.metadata.uid}'"),
    };
    await ops(world, ["backup"]);
    const secrets = { ...appSecrets, backupPrivateKey: store.privateKey };
    const former = await moveAway(world, name, say, { stack: other, secrets, prepare });
    expect(await tokenKey()).not.toBe(before.key);
    expect((await liteboxd.ask("GET", "/api/v1/sandboxes", liteboxd.withKey)).status).toBe(401);
    const { stderr } = await ops(world, ["restore", "--to", other, "--force"], { stack: former });
    expect(stderr).toContain("lwsandbox runs with the data of snapshot");
    expect({
      key: await tokenKey(),
      cluster: await liteboxd.kubectl("get namespace kube-system -o 'jsonpath={.metadata.uid}'"),
    }).toEqual(before);
    await onlyThese(kept());
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });
}
