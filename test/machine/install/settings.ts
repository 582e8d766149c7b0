import type { Scene } from "./scene";

/** The kernel's swap and swappiness in files: a container has none of its own, and would change those of the machine around it. */
const kernel = `mkdir -p /root/kernel; export PATH=/root/kernel:$PATH
[ -e /root/kernel/swappiness ] || echo 60 >/root/kernel/swappiness
touch /root/kernel/swaps
cat >/root/kernel/swapon <<'END'
#!/bin/sh
case "$*" in *--show*) cat /root/kernel/swaps ;; *) echo "$1" >>/root/kernel/swaps ;; esac
END
cat >/root/kernel/swapoff <<'END'
#!/bin/sh
grep -vxF "$1" /root/kernel/swaps >/root/kernel/rest; mv /root/kernel/rest /root/kernel/swaps
END
cat >/root/kernel/sysctl <<'END'
#!/bin/sh
case "$*" in
  "-n vm.swappiness") cat /root/kernel/swappiness ;;
  "-q vm.swappiness="*) echo "\${2#*=}" >/root/kernel/swappiness ;;
  "-q -p "*) sed -n 's/^vm.swappiness = //p' "$3" >/root/kernel/swappiness ;;
esac
END
chmod 755 /root/kernel/*`;

/** Settings of the machine that go again. */
export function settingsGivenBack(scene: () => Scene): void {
  const words = (script: string) => scene().machine.words(script);
  const install = (settings: Readonly<Record<string, string>>) => scene().install(settings, { first: kernel });
  const machine =
    "cat /etc/fstab /root/kernel/swaps /root/kernel/swappiness; stat -c '%a %s' /swapfile.cloudcode; cat /etc/sysctl.d/60-cloudcode.conf";

  it("swapMiB 0 takes the swap file away, out of the kernel and out of fstab, and gives its swappiness back", async () => {
    // A last line without an end.
    await words(`printf '# of their owner\\ntmpfs /srv tmpfs size=1m 0 0' >/etc/fstab; ${kernel}`);
    const before = await words(machine);
    expect(await install({ swapMiB: "64" })).toMatchObject({ ok: true });
    expect((await words(machine)).split("\n")).toEqual([
      "# of their owner",
      "tmpfs /srv tmpfs size=1m 0 0",
      "/swapfile.cloudcode none swap sw 0 0",
      "/swapfile.cloudcode",
      "10",
      `600 ${64 * 2 ** 20}`,
      "vm.swappiness = 10",
    ]);
    expect(await install({ swapMiB: "64" })).toMatchObject({ ok: true });
    expect(await install({ swapMiB: "0" })).toMatchObject({ ok: true });
    // What stood there has an end now.
    expect(await words(machine)).toBe(before.replace("0 060\n", "0 0\n60\n"));
    expect(await words("ls /opt/cloudcode/host")).not.toContain("swappiness");
    await words("rm -rf /root/kernel; : >/etc/fstab");
  });

  it("without ntpServer the time comes from where it came before", async () => {
    const servers =
      "systemd-analyze cat-config systemd/timesyncd.conf | grep '^NTP='; ls /etc/systemd/timesyncd.conf.d";
    const before = await words(servers);
    expect(await scene().install({ ntpServer: "ntp.example.com" })).toMatchObject({ ok: true });
    expect(await words(servers)).toBe("NTP=ntp.example.com\ncloudcode.conf");
    expect(await scene().install()).toMatchObject({ ok: true });
    expect((await words(servers)).replace(/^ls: .*$/m, "")).toBe(before.replace(/^ls: .*$/m, ""));
  });
}
