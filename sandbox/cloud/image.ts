import { aptInstallStep, buildImage } from "../host/build";
import { hostImage } from "../host/recipe";
import type { BaseArgs } from "../host/base";

/** What an image of a cloud has beyond a plain Debian: its Docker, say, is the program's matter. */
const PACKAGES = ["cloud-init", "e2fsprogs"];

/** Only the seed folder is a source; what belongs to the outer machine (network, apt, disks) is not cloud-init's matter. */
const CLOUD_INIT = `datasource_list: [ NoCloud ]
datasource: { NoCloud: { fs_label: null } }
network: { config: disabled }
users: []
disable_root: false
apt: { preserve_sources_list: true }
growpart: { mode: "off" }
resize_rootfs: false
locale: false
`;

/** Where a machine's attached disks are listed: boot id of the outer kernel, serial, device, major and minor number. */
export const diskList = "etc/sandbox/disks";

/** Makes /dev agree with the list. A line of an earlier boot of the outer machine may name another disk's loop device. */
const DISKS = `#!/bin/sh
set -eu
# The boot and an attachment at that moment must not make the same node.
exec 9>/run/sandbox-disks.lock
flock 9
boot=$(cat /proc/sys/kernel/random/boot_id)
mkdir -p /dev/disk/by-id
for link in /dev/disk/by-id/virtio-*; do
  [ -L "$link" ] || continue
  grep -q "^$boot \${link##*/virtio-} " /${diskList} && continue
  device=$(readlink "$link")
  numbers=$(stat -c %Hr:%Lr "$device")
  findmnt -rno TARGET,MAJ:MIN | awk -v "n=$numbers" '$2 == n { print $1 }' | while read -r target; do umount -l "$target"; done
  sandbox-cut "$device"
  rm -f "$link" "$device"
done
[ -e /${diskList} ] || exit 0
while read -r when serial device major minor; do
  [ "$when" = "$boot" ] || continue
  [ -b "$device" ] || mknod -m 660 "$device" b "$major" "$minor"
  ln -sfn "$device" "/dev/disk/by-id/virtio-$serial"
done </${diskList}
`;

/**
 * Whoever still uses a loop device that is taken away gets I/O errors, as from a disk that a cloud detaches: one sector is
 * left of it, and the last one to close it frees it. LOOP_GET_STATUS64 and LOOP_SET_STATUS64 of Linux's
 * include/uapi/linux/loop.h; `losetup` changes neither the size nor LO_FLAGS_AUTOCLEAR (4) of a device in use.
 */
const CUT = `#!/usr/bin/perl
use strict;
open(my $device, "+<", $ARGV[0]) or die "$ARGV[0]: $!\\n";
my $info = "\\0" x 232;
ioctl($device, 0x4C05, $info) or die "LOOP_GET_STATUS64 of $ARGV[0]: $!\\n";
substr($info, 32, 8) = pack("Q", 512);
substr($info, 52, 4) = pack("L", unpack("L", substr($info, 52, 4)) | 4);
ioctl($device, 0x4C04, $info) or die "LOOP_SET_STATUS64 of $ARGV[0]: $!\\n";
`;

/**
 * Without udev no device unit ever becomes active, so that systemd would wait for each disk in fstab until it gives up.
 * With /sys read-only it leaves them alone (https://systemd.io/CONTAINER_INTERFACE/), and they are mounted before it.
 */
const BOOT = `#!/bin/sh
mount -o remount,bind,ro /sys
find /dev -xdev -type b -delete
/usr/local/sbin/sandbox-disks
mount -a
exec /usr/local/sbin/sandbox-init
`;

/** The image of a cloud's machine: the sandbox's host, with cloud-init, and with disks that come and go. */
export async function cloudImage(args: BaseArgs): Promise<string> {
  return buildImage(
    {
      name: "cloud-host",
      dockerfile: `FROM ${await hostImage(args)}
RUN ${aptInstallStep(PACKAGES)} && rm -rf /var/lib/cloud/* /etc/ssh/ssh_host_*
COPY etc/ /etc/
COPY sbin/ /usr/local/sbin/
RUN chmod 755 /usr/local/sbin/*
CMD ["/usr/local/sbin/sandbox-boot"]
`,
      files: {
        "etc/cloud/cloud.cfg.d/99_sandbox.cfg": CLOUD_INIT,
        "sbin/sandbox-cut": CUT,
        "sbin/sandbox-disks": DISKS,
        "sbin/sandbox-boot": BOOT,
      },
    },
    args.say,
  );
}
