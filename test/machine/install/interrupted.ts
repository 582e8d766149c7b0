import type { Scene } from "./scene";

/** What stands on the machine before any of ours: a foreign daemon.json among it. */
const asBefore = `systemctl disable --now cloudcode-firewall 2>/dev/null; rm -rf /opt/cloudcode/host /opt/cloudcode/bin
rm -f /etc/systemd/system/cloudcode-* /etc/ssh/sshd_config.d/10-cloudcode.conf /etc/apt/apt.conf.d/60cloudcode-updates /etc/systemd/timesyncd.conf.d/cloudcode.conf
systemctl daemon-reload; sed -i /cloudcode/d /etc/fstab 2>/dev/null`;

/** Kills the installation, all its processes at once, when it makes the n-th write of a step durable. */
const killer = (step: string, nth: number) => `mkdir -p /root/killer; : >/root/killer/count
cat >/root/killer/sync <<'END'
#!/bin/sh
[ "$(cat /opt/cloudcode/host/change/name 2>/dev/null)" != ${step} ] || echo >>/root/killer/count
[ "$(wc -l </root/killer/count)" -ne ${nth} ] || { touch /root/killer/done; kill -9 0; }
exec /usr/bin/sync "$@"
END
chmod 755 /root/killer/sync; rm -f /root/killer/done; export PATH=/root/killer:$PATH`;

/** Where runs are killed, one after the other: a second time in one step while that is undone, and then further on. */
const points = [
  "firewall 2",
  "firewall 12",
  "firewall 1",
  "docker 1",
  "docker 5",
  "docker 2",
  "docker 8",
  "time 1",
  "ssh 3",
  "programs 2",
  "programs 30",
  "programs 3",
  "updates 3",
].map((point) => point.split(" ") as [string, string]);

/** Runs killed at points of each step, and the next run after them. */
export function interruptedRuns(scene: () => Scene): void {
  const words = (script: string) => scene().machine.words(script);
  const settings = { dockerDns: '["192.0.2.53"]', ntpServer: "ntp.example.com" };
  // Times of the files differ from run to run.
  const contents = async () => (await scene().files()).replaceAll(/ \d+\.\d+ /g, " ");

  it("is undone by the next one, wherever it was, and that one ends as if nothing had been", async () => {
    await scene().daemon({ "log-opts": { tag: "{{.Name}}" } });
    const before = await scene().neighbour();
    await words(asBefore);
    expect(await scene().install(settings)).toMatchObject({ ok: true });
    const wanted = await contents();
    await scene().daemon({ "log-opts": { tag: "{{.Name}}" } });
    expect(await scene().neighbour()).not.toBe(before);
    const neighbour = await scene().neighbours();

    await words(asBefore);
    for (const [step, nth] of points) {
      await scene().install(settings, { first: killer(step, Number(nth)) });
      expect([nth, await words("ls /root/killer/done; cat /opt/cloudcode/host/change/name")]).toEqual([
        nth,
        `/root/killer/done\n${step}`,
      ]);
      expect(await scene().neighbours()).toBe(neighbour);
    }
    expect(await scene().install(settings)).toMatchObject({ ok: true });
    expect(await contents()).toBe(wanted);
    expect(await words("ls -A /opt/cloudcode/host; find / -xdev -name '.*.cloudcode'")).toBe("daemon.json\nlock");
    expect(await scene().neighbours()).toBe(neighbour);
    expect(await words("systemctl is-active docker ssh cloudcode-firewall | sort -u")).toBe("active");
  });

  it("while another is at work it waits for that one", async () => {
    const [a, b] = [{ ntpServer: "a.example.com" }, { ntpServer: "b.example.com" }];
    // Rendered one after the other: the program runs once at a time.
    await scene().install(a);
    await scene().install(b);
    const ready = { ok: true, said: expect.stringMatching(/^host is ready: /) as string };
    expect(await Promise.all([scene().install(a), scene().install(b)])).toMatchObject([ready, ready]);
  });
}
