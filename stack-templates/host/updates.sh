# Automatic security updates. Sourced by install.sh and by a worker's upkeep.sh.
# shellcheck shell=sh disable=SC2154 # automatic_updates and reboot_time are settings.sh's
updates=/etc/apt/apt.conf.d/60cloudcode-updates

set_updates() {
  if [ "$automatic_updates" != true ]; then
    change updates
    drop $updates
    keep
    return
  fi
  command -v unattended-upgrade >/dev/null || apt_install unattended-upgrades
  change updates
  write $updates <<END
// The distribution's security updates stand in 50unattended-upgrades; Docker has a repository of its own, without a separate one for
// security: Engine, containerd and runc come from it.
Unattended-Upgrade::Origins-Pattern:: "origin=Docker,label=Docker CE";
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "$([ -n "$reboot_time" ] && echo true || echo false)";
Unattended-Upgrade::Automatic-Reboot-Time "${reboot_time:-now}";
END
  apt-config dump | grep -qF 'Unattended-Upgrade::Origins-Pattern:: "origin=Docker,label=Docker CE"' ||
    fail "apt does not take $updates: $(apt-config dump 2>&1 >/dev/null | tail -n 1)"
  systemctl enable --now apt-daily.timer apt-daily-upgrade.timer ||
    fail "the timers of apt's daily updates do not start: systemctl unmask apt-daily.timer apt-daily-upgrade.timer, or set automaticUpdates to false"
  keep
}
