import { connect } from "node:net";
import { withServerAt } from "../metadata";
import type { World } from "../world";

/** No App reaches another, the gateway's insides, or the cloud's metadata. */
export function walls(world: World): void {
  /** Whether a TCP connection from inside OpenCode's container opens within two seconds. */
  const reaches = async (address: string, port: number) => {
    const probe = `timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/${port}' 2>/dev/null && echo open || echo shut`;
    return (
      (await world.onHost(`docker exec cloudcode-opencode-server-1 sh -c "${probe.replaceAll('"', '\\"')}"`)) === "open"
    );
  };
  const addresses = async (container: string) =>
    (
      await world.onHost(
        `docker inspect --format '{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}' ${container}`,
      )
    )
      .split("\n")
      .filter(Boolean);

  test("the only ports open on the host are 22, 80 and 443", async () => {
    const open: number[] = [];
    const scan = async (port: number) => {
      if (await answers(world.sandbox.host.address, port)) open.push(port);
    };
    for (let from = 1; from < 65_536; from += 512) {
      await Promise.all(Array.from({ length: Math.min(512, 65_536 - from) }, (_, index) => scan(from + index)));
    }
    expect(open.sort((a, b) => a - b)).toEqual([22, 80, 443]);
    const udp = await world.onHost("docker ps --format '{{.Ports}}' | grep -o '[0-9.]*:[0-9]*->[0-9]*/udp' | sort -u");
    expect(udp).toBe("0.0.0.0:443->443/udp");
  });

  test("an App reaches the internet's side of the edge and its own network", async () => {
    expect(await reaches("opencode-terminal", 7681)).toBe(true);
    expect(await reaches(world.sandbox.host.address, 443)).toBe(true);
  });

  test("an App reaches neither the gate nor its sessions nor Caddy's control port", async () => {
    const targets = [
      ...(await addresses(await world.container("auth", "authelia"))).map((address) => [address, 9091] as const),
      ...(await addresses("cloudcode-auth-sessions-1")).map((address) => [address, 6379] as const),
      ...(await addresses("cloudcode-edge-caddy-1")).map((address) => [address, 2019] as const),
    ];
    expect(targets.length).toBeGreaterThanOrEqual(5);
    for (const [address, port] of targets)
      expect({ address, port, open: await reaches(address, port) }).toEqual({ address, port, open: false });
  });

  test("an App does not reach the metadata address, although the host does", async () => {
    const metadata = "169.254.169.254";
    await withServerAt(metadata, world.sandbox.name, async () => {
      expect(await world.onHost(`timeout 5 bash -c 'exec 3<>/dev/tcp/${metadata}/80' && echo open`)).toBe("open");
      expect(await reaches(metadata, 80)).toBe(false);
    });
  });

  test("every container has no capability it does not need, no new privileges, a memory limit and bounded logs", async () => {
    const format =
      "{{.Name}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} {{gt .HostConfig.Memory 0}} {{.HostConfig.LogConfig.Type}}";
    const lines = (await world.onHost(`docker ps -q | xargs docker inspect --format '${format}'`)).split("\n");
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      const added = line.startsWith("/cloudcode-edge-caddy-1") ? "\\[(CAP_)?NET_BIND_SERVICE\\]" : "\\[\\]";
      expect(line).toMatch(new RegExp(`^\\S+ \\[ALL\\] ${added} \\[no-new-privileges:true\\] true local$`));
    }
  });
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
    socket.once("timeout", () => {
      end(false);
    });
  });
}
