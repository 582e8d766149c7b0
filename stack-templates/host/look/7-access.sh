# shellcheck shell=sh disable=SC2154 # found, root and the functions are those of 1-begin.sh and 5-docker.sh, the rest of settings.sh
# How the operator and the containers get in and out.

if have sshd; then
  # Where a socket starts sshd, this folder is made with the first of them.
  words=$(timeout 20 sshd -t 2>&1 </dev/null) || case $words in
    *"privilege separation directory"*) ;;
    *) add blocks sshd "sshd refuses its own configuration, and would not start again: $(printf '%s\n' "$words" | tail -n 1)" "sshd -t says the same; fix the line that it names" ;;
  esac
else
  add warns sshd "this machine has no OpenSSH server: nobody can say whether a password opens it" "apt-get install openssh-server"
fi

user=${SUDO_USER:-root}
shell=$(ask getent passwd "$user" | cut -d : -f 7)
case ${shell##*/} in
  '' | sh | bash | dash | ash | ksh* | mksh | zsh | busybox | fish | tcsh | csh) ;;
  *) add warns login-shell "the login shell of $user is $shell, which may not run commands as a shell does" "chsh -s /bin/sh $(word "$user" USER)" ;;
esac

# Ends well when an address is in one of the networks, IPv4 or IPv6 in any form of RFC 4291, section 2.2.
inside() { # ADDRESS NETWORKS
  awk -v ip="$1" -v cidrs="$2" '
    function binary(value, width,  out) { while (width-- > 0) { out = (value % 2) out; value = int(value / 2) } return out }
    function groups(text,  part, n, i, j, value, out) {
      n = split(tolower(text), part, ":")
      for (i = 1; i <= n; i++) {
        value = 0
        for (j = 1; j <= length(part[i]); j++) value = value * 16 + index("0123456789abcdef", substr(part[i], j, 1)) - 1
        out = out binary(value, 16)
      }
      return out
    }
    function bits(a,  part, n, i, tail, out) {
      sub(/%.*/, "", a)
      if (match(a, /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/)) {
        split(substr(a, RSTART), part, ".")
        for (i = 1; i <= 4; i++) out = out binary(part[i], 8)
        # What a server that listens on both families says of an IPv4 client.
        if (RSTART == 1 || tolower(substr(a, 1, RSTART - 1)) == "::ffff:") return out
        a = substr(a, 1, RSTART - 1) sprintf("%x:%x", part[1] * 256 + part[2], part[3] * 256 + part[4])
      }
      n = split(a, part, "::")
      out = groups(part[1]); tail = n == 2 ? groups(part[2]) : ""
      while (length(out) + length(tail) < 128) out = out "0"
      return out tail
    }
    BEGIN {
      own = bits(ip); n = split(cidrs, list, " ")
      for (i = 1; i <= n; i++) {
        split(list[i], part, "/"); network = bits(part[1])
        if (length(network) == length(own) && substr(network, 1, part[2]) == substr(own, 1, part[2])) exit found = 0
      }
      exit 1
    }'
}
# shellcheck disable=SC2086 # four words
set -- $connection
client=${1:-} port=${4:-}
if [ -n "${ssh_cidrs:-}" ]; then
  [ -z "$client" ] || inside "$client" "$ssh_cidrs" ||
    add blocks ssh-cidrs "sshCidrs does not contain $client, the address you connect from: it would lock you out" "pulumi config set --path 'sshCidrs[$(printf '%s\n' "$ssh_cidrs" | wc -w | tr -d ' ')]' $(case $client in *:*) echo "$client/128" ;; *) echo "$client/32" ;; esac)"
  [ -z "$port" ] || [ "$port" = "$ssh_port" ] ||
    add warns ssh-port "sshd answers at port $port of this machine, and something before it leads port $ssh_port there: sshCidrs is judged by the addresses that come through" "sshCidrs where that keeps the addresses of visitors; else a rule in what stands before the machine"
fi

# Name servers at addresses that no container may reach, as the metadata of the cloud answers there: Google's, Amazon's.
servers=$(sed -n 's/^nameserver[[:space:]]*//p' "$root/etc/resolv.conf" 2>/dev/null | list)
[ "$servers" != 127.0.0.53 ] || servers=$(sed -n 's/^nameserver[[:space:]]*//p' "$root/run/systemd/resolve/resolv.conf" 2>/dev/null | list)
set_dns=$(at "$our_options" dns.0)
case ", $servers" in
  *", 169.254."* | *", 100.100.100.200"*)
    [ -n "$set_dns$worker" ] || [ -n "$(said dns.0)$(said dns)" ] ||
      add blocks name-servers "this machine's name server ($servers) is at an address of the cloud's metadata, which containers must not reach: they would resolve no name" "pulumi config set dockerDns '[\"1.1.1.1\",\"8.8.8.8\"]'"
    ;;
  ", ") add warns name-servers "this machine has no name server" "write one into /etc/resolv.conf, or see resolvectl status" ;;
esac
