# SSH by key only, and keep-alives for sessions behind NAT. Sourced by install.sh.
# shellcheck shell=sh disable=SC2154 # fail, units and the lower-case names are install.sh's and transaction.sh's
sshd_own=/etc/ssh/sshd_config.d/10-cloudcode.conf
sshd_main=/etc/ssh/sshd_config

# The effective configuration of sshd for a login, with all its files and Match blocks.
sshd_grants() { # USER ADDRESS
  sshd -T -C "user=$1,host=$2,addr=$2,laddr=${server_address:-127.0.0.1},lport=$server_port" 2>&1
}

# No login by password, plain or keyboard-interactive. A password in addition to a key is allowed.
by_key_only() {
  awk '$1 == "passwordauthentication" || $1 == "kbdinteractiveauthentication" { if ($2 != "no") open = 1 }
    $1 == "authenticationmethods" { keyed = 1; for (i = 2; i <= NF; i++) if ($i !~ /publickey/) keyed = 0 }
    END { exit open && !keyed }'
}

ssh_unit() { for unit in ssh sshd; do if systemctl is-active --quiet $unit; then echo $unit && return; fi; done; }
ssh_answers() { ssh-keyscan -T 5 -p "$server_port" "${server_address:-127.0.0.1}" 2>/dev/null | grep -q .; }

# An sshd that a socket starts reads the new files by itself.
reload_ssh() { unit=$(ssh_unit); [ -z "$unit" ] || systemctl reload "$unit"; }
undo_ssh() { reload_ssh; }

own_lines() {
  if ! printf '%s\n' "$without" | grep -q '^authenticationmethods any' && printf '%s\n' "$without" | by_key_only; then :; else
    printf '%s\n' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'
  fi
  # A stricter value stays.
  ! printf '%s\n' "$without" | grep -q '^permitrootlogin yes' || echo 'PermitRootLogin prohibit-password'
  ! printf '%s\n' "$without" | grep -q '^clientaliveinterval 0' || printf '%s\n' 'ClientAliveInterval 15' 'ClientAliveCountMax 40'
}

keys_only() {
  command -v sshd >/dev/null || { say "this machine has no OpenSSH server: nobody knows whether a password opens it"; return; }
  mkdir -p /run/sshd
  answered=
  ! ssh_answers || answered=yes
  before=$(cat $sshd_own $sshd_main 2>/dev/null | sha256sum)
  change ssh
  drop $sshd_own
  without=$(sshd_grants nobody 192.0.2.1) || fail "sshd does not accept its own configuration: $(printf '%s\n' "$without" | tail -n 1)"
  own_lines | write $sshd_own
  # An earlier line wins in sshd's files, and some have no Include at all.
  if ! sshd_grants nobody 192.0.2.1 | by_key_only && [ "$(head -n 1 $sshd_main)" != "Include $sshd_own" ]; then
    { echo "Include $sshd_own"; cat $sshd_main; } | write $sshd_main
  fi
  sshd -t || fail "sshd refuses $sshd_own: $(sshd -t 2>&1 | tail -n 1)"
  for login in "nobody 192.0.2.1" "$login_user ${client:-192.0.2.1}"; do
    # shellcheck disable=SC2086 # two words
    granted=$(sshd_grants $login)
    printf '%s\n' "$granted" | by_key_only ||
      fail "sshd still takes passwords from ${login#* } for ${login% *}, though $sshd_own says no: a Match block below /etc/ssh/sshd_config says so; take its PasswordAuthentication and KbdInteractiveAuthentication away"
    printf '%s\n' "$granted" | grep -q '^pubkeyauthentication yes' || fail "sshd would take no key from ${login#* } for ${login% *}"
  done
  if [ "$(cat $sshd_own $sshd_main | sha256sum)" = "$before" ]; then
    files_back
  else
    reload_ssh || fail "sshd did not take $sshd_own: $(journalctl -u ssh -u sshd -n 3 --no-pager -o cat | paste -sd ' ')"
    tries=0
    until [ -z "$answered" ] || ssh_answers; do
      tries=$((tries + 1))
      [ $tries -lt 5 ] || fail "sshd does not answer at port $server_port with the new $sshd_own: $(journalctl -u ssh -u sshd -n 3 --no-pager -o cat | paste -sd ' ')"
      sleep 1
    done
  fi
  keep
}
