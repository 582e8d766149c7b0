import { rebootHost } from "../../../sandbox/host/host";
import { until } from "../../../cli/run";
import type { Scene } from "./scene";

/** Containers and the addresses at which a cloud hands out its credentials: here a real server behind a network of its own. */
export function wall(scene: () => Scene): void {
  const words = (script: string) => scene().machine.words(script);
  const unit = `[Unit]
DefaultDependencies=no
Before=docker.service cloudcode-firewall.service
[Service]
Type=simple
ExecStartPre=/bin/sh -c "ip netns add cloud; ip link add to-cloud type veth peer name uplink netns cloud; ip addr add 192.0.2.1/24 dev to-cloud; ip link set to-cloud up; ip netns exec cloud sh -c 'ip link set lo up; ip addr add 192.0.2.2/24 dev uplink; ip link set uplink up; ip addr add 100.100.100.200/32 dev lo; ip addr add 169.254.169.254/32 dev lo; ip route add default via 192.0.2.1'; ip route add 100.100.100.200 via 192.0.2.2; ip route add 169.254.169.254 via 192.0.2.2; mkdir -p /run/cloud; echo credentials >/run/cloud/index.html; sysctl -w net.ipv4.ip_forward=1"
ExecStart=/bin/ip netns exec cloud busybox httpd -f -p 80 -h /run/cloud
[Install]
WantedBy=multi-user.target
`;
  // Debian 12's busybox ends with a segmentation fault at wget's own -T.
  // As a container's first process it would not end at a signal.
  const asked = (address: string, from = "") =>
    words(`${from} sh -c 'busybox timeout 2 busybox wget -qO- http://${address}/; true'`);
  const container = "docker run --rm still";

  beforeAll(async () => {
    await scene().daemon(undefined);
    await words(
      `cat >/etc/systemd/system/cloud.service <<'END'\n${unit}END\nsystemctl daemon-reload; systemctl enable --now cloud`,
    );
  });
  afterAll(() => words("systemctl disable --now cloud; ip netns delete cloud; rm /etc/systemd/system/cloud.service"));

  const wallOff =
    "iptables -t mangle -D FORWARD -j CLOUDCODE-METADATA; iptables -F DOCKER-USER; iptables -A DOCKER-USER -j RETURN";

  it.each([
    ["as Docker is", {}],
    ['with "iptables": false', { iptables: false }],
  ])("%s a container reaches neither address, and the host does", async (_name, json) => {
    await scene().daemon(json);
    await words(wallOff);
    // Without the wall it would: the server is there, and the way to it is open.
    await words("iptables -P FORWARD ACCEPT");
    expect(await asked("100.100.100.200", container)).toBe("credentials");
    expect(await scene().install()).toMatchObject({ ok: true });
    await words("iptables -P FORWARD ACCEPT");
    for (const address of ["100.100.100.200", "169.254.169.254"]) {
      expect(await asked(address, container)).not.toContain("credentials");
      expect(await asked(address)).toBe("credentials");
    }
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^metadata wall' | cut -f 2")).toBe("ok");
  });

  it("stands before the first container starts at boot, and after Docker was started again", async () => {
    await scene().daemon(undefined);
    expect(await scene().install()).toMatchObject({ ok: true });
    await words(
      "docker run -d --name eager --restart always still sh -c 'trap exit TERM; while :; do busybox timeout 1 busybox wget -qO- http://100.100.100.200/ && echo reached; sleep 0.05; done'",
    );
    await rebootHost(scene().machine.name);
    await until(
      60,
      async () => ((await words("docker inspect --format '{{.State.Running}}' eager")) === "true" ? true : undefined),
      () => words("journalctl -u docker -n 20"),
    );
    expect(await asked("100.100.100.200")).toBe("credentials");
    await words("systemctl restart docker; sleep 2");
    expect(await words("docker logs eager 2>/dev/null | grep -c reached; docker rm -f eager >/dev/null")).toBe("0");
    expect(await words("systemctl show cloudcode-firewall -p ActiveState --value")).toBe("active");
  });

  it("is red in status when somebody has taken it away", async () => {
    await words("iptables -t mangle -D FORWARD -j CLOUDCODE-METADATA");
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^metadata wall' | cut -f 2")).toBe("red");
    await words("systemctl restart cloudcode-firewall");
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^metadata wall' | cut -f 2")).toBe("ok");
  });
}
