import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type AppsWorld, appSecrets } from "../apps/world";

/**
 * What is secret stands in no place where one looks.
 *
 * @param made finds secrets that were made on the host itself
 */
export function secretsHidden(
  world: AppsWorld,
  made: () => Promise<readonly string[]> = () => Promise.resolve([]),
): void {
  let secrets: readonly string[] = [];

  test("no secret, given or generated, can be read in Docker, a process list, a log, an output or the state", async () => {
    const known = await world.onHost("cat /opt/cloudcode/stacks/*/releases/current/secrets");
    secrets = [...new Set([...Object.values(appSecrets), ...known.split("\n")])].filter((one) => one.length > 8);
    // Three Apps' given ones, and their generated ones: keys, passwords, session secrets.
    expect(secrets.length).toBeGreaterThan(12);
    const all = [...secrets, ...(await made())];
    const state = join(world.sandbox.folder, "state");
    const places = {
      "output of up": world.seen.output,
      "process lists during up": world.seen.processes,
      "process list": await world.onHost("ps -eo args"),
      "docker inspect": await world.onHost("docker ps --all --quiet | xargs docker inspect"),
      "docker image inspect": await world.onHost("docker images --quiet | sort -u | xargs docker image inspect"),
      "docker image history": await world.onHost(
        "docker images --quiet | sort -u | xargs -n 1 docker history --no-trunc --format '{{.CreatedBy}}'",
      ),
      logs: await world.onHost(
        "for c in $(docker ps --all --quiet); do docker logs $c 2>&1; done; cat /var/log/cloudcode/*",
      ),
      journal: await world.onHost("journalctl --no-pager"),
      state: await world.stateText(),
      "state on disk": readdirSync(state, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".json"))
        .map((name) => readFileSync(join(state, name), "utf8"))
        .join(""),
    };
    expect(places["process lists during up"]).toContain("cloudcode-host apply");
    for (const [place, text] of Object.entries(places)) {
      const shown = all.filter((one) => text.includes(one) || text.includes(JSON.stringify(one).slice(1, -1)));
      expect({ place, shown: shown.length }).toEqual({ place, shown: 0 });
    }
    expect(await world.leaks(all)).toEqual([]);
  });

  test("on the host they lie only in files that their owner alone may read", async () => {
    const find = `cat >/run/wanted; find /opt /etc /tmp /run /var/log -type f ! -perm 400 ! -path /run/wanted -print0 |
      xargs -0 grep -lF -f /run/wanted; rm /run/wanted`;
    const { stdout } = await world.sandbox.exec(["sh", "-c", find], { input: secrets.join("\n") });
    expect(stdout).toBe("");
  });
}
