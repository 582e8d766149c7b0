# Data disk, swap and time of the machine. Sourced by install.sh.
# shellcheck shell=sh disable=SC2154 # here, units and the lower-case names are install.sh's, transaction.sh's and settings.sh's
swapfile=/swapfile.cloudcode
swappiness=/etc/sysctl.d/60-cloudcode.conf
timesyncd=/etc/systemd/timesyncd.conf.d/cloudcode.conf

undo_disk() { systemctl daemon-reload; }

# Before Docker is installed, so that its data is on the data disk from the start.
mount_data_disk() {
  change disk
  write /opt/cloudcode/bin/data-disk 755 <"$here/data-disk"
  sed "s#@data_disk@#$data_disk#" "$here/cloudcode-data-disk.service" | write "$units/cloudcode-data-disk.service"
  write "$units/docker.service.d/cloudcode-data-disk.conf" <<END
[Unit]
Requires=cloudcode-data-disk.service
After=cloudcode-data-disk.service
END
  systemctl daemon-reload
  enable_unit cloudcode-data-disk.service
  systemctl start cloudcode-data-disk || fail "the data disk could not be mounted: $(journalctl -u cloudcode-data-disk -n 3 --no-pager -o cat)"
  keep
  resize2fs "$(findmnt -no SOURCE /var/lib/docker)" ||
    say "the data disk's file system grows to $data_disk_gib GiB at the next boot"
}

swaps() { swapon --noheadings --show=NAME | grep -qxF $swapfile; }

undo_swap() {
  grep -qs "^$swapfile " /etc/fstab || { { ! swaps || swapoff $swapfile; } && rm -f $swapfile; }
  [ ! -s "$state/swappiness" ] || sysctl -q "vm.swappiness=$(cat "$state/swappiness")"
}

# Memory pressure must lead to swapping and to a killed App, never to a machine that does not answer.
set_swap() {
  change swap
  if [ "$swap_mib" -eq 0 ]; then
    if grep -q "^$swapfile " /etc/fstab || [ -e $swapfile ]; then
      if swaps && ! swapoff $swapfile; then
        say "the swap file stays: memory is too short without it; swapMiB 0 takes effect once it is not"
        back
        return
      fi
      grep -v "^$swapfile " /etc/fstab | write /etc/fstab
      drop $swappiness
      undo_swap
      drop "$state/swappiness"
    fi
  elif [ -z "$(swapon --noheadings --show)" ]; then
    [ "$(($(df -Pm / | awk 'NR == 2 { print $4 }') - swap_mib))" -gt 1024 ] || { say "no swap file: it would fill the disk"; back; return; }
    # fallocate leaves holes on some file systems, and swapon refuses files with holes.
    if { fallocate -l "${swap_mib}M" $swapfile && chmod 600 $swapfile && mkswap $swapfile && swapon $swapfile; } ||
      { rm -f $swapfile && (umask 077 && dd if=/dev/zero of=$swapfile bs=1M count="$swap_mib") && mkswap $swapfile && swapon $swapfile; }; then
      # A last line without a newline would become part of ours.
      { grep -v "^$swapfile " /etc/fstab || true; echo "$swapfile none swap sw 0 0"; } | write /etc/fstab
      [ -s "$state/swappiness" ] || sysctl -n vm.swappiness | write "$state/swappiness" 600
      echo 'vm.swappiness = 10' | write $swappiness
      sysctl -q -p $swappiness || true
    else
      say "no swap file on this machine: it does not allow one"
      back
      return
    fi
  fi
  keep
}

undo_time() { systemctl try-restart systemd-timesyncd; }
synchronised() { [ "$(timedatectl show -p NTPSynchronized --value)" = yes ]; }

# One-time codes and certificates need the right time; a machine that cannot sync still works, so this only waits a moment.
set_time() {
  other=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Provides}\n' 2>/dev/null | awk '/ ii .*time-daemon/ && $1 != "systemd-timesyncd" { print $1; exit }')
  if [ -n "$other" ]; then
    [ -z "$ntp_server" ] || say "$other keeps the time of this machine: ntpServer has no effect, set it there"
  else
    systemctl cat systemd-timesyncd >/dev/null 2>&1 || apt_install systemd-timesyncd
    was=$(systemctl is-active systemd-timesyncd || true)
    change time
    if [ -n "$ntp_server" ]; then printf '[Time]\nNTP=%s\n' "$ntp_server" | write $timesyncd; else drop $timesyncd; fi
    ! changed || systemctl try-restart systemd-timesyncd
    [ "$was" != active ] || systemctl is-active systemd-timesyncd || fail "systemd-timesyncd does not start with ntpServer: $(journalctl -u systemd-timesyncd -n 3 --no-pager -o cat)"
    keep
  fi
  synchronised || timedatectl set-ntp true || true
  tries=0
  until synchronised || [ $tries -ge 10 ]; do
    tries=$((tries + 1))
    sleep 1
  done
  synchronised || say "the clock is not synchronised yet; one-time codes fail when it is off by more than 30 s"
}
