# Only keys open this machine, and a silent session of ours stays open through NAT. Read by install.sh.
# shellcheck shell=sh disable=SC2154 # fail, units and the lower-case names are install.sh's and transaction.sh's
sshd_own=/etc/ssh/sshd_config.d/10-cloudcode.conf
sshd_main=/etc/ssh/sshd_config

# What sshd would grant to a login, all its files and Match blocks taken together.
sshd_grants() { # USER ADDRESS
  sshd -T -C "user=$1,host=$2,addr=$2,laddr=${server_address:-127.0.0.1},lport=$server_port" 2>&1
}

# Nobody gets in by a password, alone or as an answer to a question. Where a key is asked for besides, it may be asked for.
by_key_only() {
  awk '$1 == "passwordauthentication" || $1 == "kbdinteractiveauthentication" { if ($2 != "no") open = 1 }
    $1 == "authenticationmethods" { keyed = 1; for (i = 2; i <= NF; i++) if ($i !~ /publickey/) keyed = 0 }
    END { exit open && !keyed }'
}

ssh_unit() { for unit in ssh sshd; do if systemctl is-active --quiet $unit; then echo $unit && return; fi; done; }
ssh_answers() { ssh-keyscan -T 5 -p "$server_port" "${server_address:-127.0.0.1}" 2>/dev/null | grep -q .; }

# A daemon that a socket starts has the new files by itself.
reload_ssh() { unit=$(ssh_unit); [ -z "$unit" ] || systemctl reload "$unit"; }
undo_ssh() { reload_ssh; }

own_lines() {
  if ! printf '%s\n' "$without" | grep -q '^authenticationmethods any' && printf '%s\n' "$without" | by_key_only; then :; else
    printf '%s\n' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'
  fi
  # What is stricter already stays.
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
