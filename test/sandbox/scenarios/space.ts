import type { World } from "../world";

/** What fills the disk is said, and what nobody needs is removed, on a Docker that others use too. */
export function space(world: World): void {
  const check = (name: string) => world.onHost(`/opt/cloudcode/bin/cloudcode-check recent | grep '^${name}'`);

  test("status shows the data of each App with its largest folders, whatever they are called", async () => {
    const made = 'cd /home/opencode/workspace && mkdir "$0" && head -c 80M /dev/urandom >"$0/file"';
    await world.onHost(`docker exec cloudcode-opencode-server-1 sh -c '${made}' "$(printf 'big\nred\tx')"`);
    await world.onHost("systemctl start cloudcode-space");
    expect(await check("data opencode")).toMatch(
      /^data opencode\t(ok|warn)\t.*workspace 8\d MiB.*; largest folders: .*workspace\/big\?red\?x 80 MiB/,
    );
    expect(await check("container opencode/server")).toMatch(/\thealthy, .*\b\d+ of 2048 MiB of memory, \d+ at most$/);
    expect(await world.onHost("docker ps --all --format '{{.Names}}' | grep measure || true")).toBe("");
    await world.onHost("docker exec cloudcode-opencode-server-1 sh -c 'rm -r /home/opencode/workspace/big*'");
  });

  test("old images of cloudcode go by themselves; another's images, containers and volumes stay, and so does all that runs", async () => {
    const made = (name: string) => `tar -c -T /dev/null | docker import - ${name} >/dev/null`;
    await world.onHost(`
      ${made("neighbour/unused:1")}; ${made("neighbour/used:1")}; ${made("cloudcode/opencode:00000000000000aa")}; ${made("example/pulled:1")}
      echo example/pulled:1 >>/opt/cloudcode/stacks/.images
      docker volume create neighbour-data >/dev/null
      docker create --name neighbour neighbour/used:1 sh >/dev/null`);
    const images = () => world.onHost("docker image ls --format '{{.Repository}}:{{.Tag}}' | sort");
    const volumes = () => world.onHost("docker volume ls --quiet | sort");
    const [before, kept] = [await images(), await volumes()];
    expect(await world.onHost("systemctl is-active cloudcode-prune.timer")).toBe("active");
    await world.onHost("systemctl start cloudcode-prune");
    expect((await images()).split("\n")).toEqual(
      before.split("\n").filter((name) => !/^(cloudcode\/opencode:00000000000000aa|example\/pulled:1)$/.test(name)),
    );
    expect(await volumes()).toBe(kept);
    expect(kept).toContain("neighbour-data");
    expect(await check("pruning")).toMatch(/^pruning\tok\t/);
    expect(await world.onHost("journalctl -u cloudcode-prune --no-pager -o cat")).toContain("others use this Docker");
    await world.onHost(
      "docker rm neighbour >/dev/null; docker image rm neighbour/unused:1 neighbour/used:1 >/dev/null; docker volume rm neighbour-data >/dev/null",
    );
  });
}
