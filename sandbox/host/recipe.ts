import { baseImage } from "./base";
import { aptInstallStep, buildImage } from "./build";
import type { BaseArgs } from "./base";

const PACKAGES = [
  "systemd",
  "systemd-sysv",
  "systemd-timesyncd",
  "dbus",
  "openssh-server",
  "sudo",
  "curl",
  "ca-certificates",
  "iptables",
  "iproute2",
  "procps",
  "kmod",
];

/** Units that would touch the kernel of the outer machine, or wait for hardware that is not there. */
const MASKED = [
  "systemd-modules-load",
  "systemd-sysctl",
  "systemd-udevd",
  "sys-kernel-config.mount",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "dev-hugepages.mount",
  "console-getty",
  "getty@",
  "getty.target",
];

const SSHD = `HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
`;

/** Docker writes its own resolver into /etc/resolv.conf at each start; containers inside could not reach that one. */
const RESOLVER = `[Unit]
ConditionPathExists=/etc/sandbox/resolv.conf
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/cp /etc/sandbox/resolv.conf /etc/resolv.conf

[Install]
WantedBy=sysinit.target
`;

/** Docker mounts the control groups read-only unless the container is privileged; systemd has to create its own there. */
const INIT = `#!/bin/sh
grep -E '^[^ ]+ /sys/fs/cgroup' /proc/mounts | cut -d' ' -f2 | while read -r tree; do mount -o remount,bind,rw "$tree"; done
exec /lib/systemd/systemd
`;

/** The image of a systemd machine with an SSH server, as a cloud would hand it over: without Docker. */
export async function hostImage(args: BaseArgs): Promise<string> {
  return buildImage(
    {
      name: "host",
      dockerfile: `FROM ${await baseImage(args)}
RUN ${aptInstallStep(PACKAGES)}
COPY etc/ /etc/
COPY init /usr/local/sbin/sandbox-init
RUN chmod 755 /usr/local/sbin/sandbox-init \\
 && systemctl mask ${MASKED.join(" ")} && systemctl enable sandbox-resolver.service \\
 && systemctl set-default multi-user.target && rm -f /etc/ssh/ssh_host_* /etc/machine-id && touch /etc/machine-id \\
 && useradd --create-home --shell /bin/bash admin && echo 'admin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/admin
STOPSIGNAL SIGRTMIN+3
CMD ["/usr/local/sbin/sandbox-init"]
`,
      files: {
        init: INIT,
        "etc/ssh/sshd_config.d/sandbox.conf": SSHD,
        "etc/systemd/system/sandbox-resolver.service": RESOLVER,
        "etc/systemd/journald.conf.d/sandbox.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\n",
      },
    },
    args.say,
  );
}
