# The look at a machine: all that is in the way of cloudcode, found before anything is touched. Reads, and changes nothing.
#
# These parts are one script in the order of their names, behind settings.sh: install.sh runs it first, and
# `npm run ops -- doctor --host` by itself; a worker's upkeep.sh leaves those of Docker and the edge out. Nothing that the machine
# says is trusted: what is printed of it is plain ASCII, and a name stands in a fix only where a shell reads it as that name.
# shellcheck shell=sh disable=SC2034,SC2154 # what is named here is used by the other parts; settings.sh has automatic_updates
set -u
umask 077
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1 PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A folder that stands for the machine's, in tests.
root=${LOOK_ROOT:-}
# `lines` for a program that reads them; else words for a person.
format=${LOOK_FORMAT:-words}
# Seconds that a first boot may take to come to its end.
patience=${LOOK_WAIT:-0}
# Seconds since 1970 at the operator's; empty: unknown.
operator_clock=${1:-}
tab=$(printf '\t')
newline='
'
found=

clean() { printf '%s' "$1" | tr -d '\r' | tr -c '\040-\176' '?' | cut -c 1-"${2:-600}"; }

# SEVERITY is blocks (`up` could not work, or would harm what is there) or warns.
add() { # SEVERITY CODE SENTENCE FIX
  found="$found$1$tab$2$tab$(clean "$3")$tab$(clean "$4")
"
}

# A name of the machine as a word of a command, or a word that says what to put there.
word() { # NAME PLACEHOLDER
  case $1 in '' | -* | *[!A-Za-z0-9@%._:+/-]*) echo "$2" ;; *) clean "$1" 120 ;; esac
}

have() { command -v "$1" >/dev/null 2>&1; }
# What does not answer must not hold up the rest.
ask() { timeout 20 "$@" 2>/dev/null </dev/null; }
list() { paste -s -d ' ' - | sed 's/ /, /g'; }

# JSON as lines `path<TAB>value` in the order of the file, an empty list or object as [] or {}; fails where it is none (RFC 8259).
flatten() {
  awk '
    function skip() { while (p <= n && index(" \t\n\r", substr(s, p, 1))) p++ }
    function text(  from, c) {
      from = ++p
      while (p <= n) {
        c = substr(s, p, 1)
        if (c == "\\") p += 2
        else if (c == "\"") { p++; return substr(s, from, p - 1 - from) }
        else if (c < " ") break
        else p++
      }
      bad = 1
    }
    function members(path, last,  key, i) {
      p++; skip()
      if (substr(s, p, 1) == last) { p++; print path "\t" (last == "}" ? "{}" : "[]"); return }
      while (!bad) {
        skip(); key = i++
        if (last == "}") {
          if (substr(s, p, 1) != "\"") { bad = 1; return }
          key = text(); skip()
          if (substr(s, p++, 1) != ":") { bad = 1; return }
        }
        value(path == "" ? key : path "." key)
        skip()
        if (substr(s, p, 1) == last) { p++; return }
        if (substr(s, p++, 1) != ",") bad = 1
      }
    }
    function value(path,  c, from, v) {
      if (bad) return
      skip(); c = substr(s, p, 1)
      if (c == "{") members(path, "}")
      else if (c == "[") members(path, "]")
      else if (c == "\"") print path "\t" text()
      else {
        from = p
        while (p <= n && substr(s, p, 1) ~ /[-+.0-9A-Za-z]/) p++
        v = substr(s, from, p - from)
        if (v !~ /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) bad = 1
        else print path "\t" v
      }
    }
    { s = s $0 "\n" }
    END { n = length(s); p = 1; value(""); skip(); exit bad || p <= n }'
}

# The value of a path in what flatten printed, as $value; empty where it is not there.
find_value() { # LINES PATH
  value=$newline$1
  case $value in
    *"$newline$2$tab"*)
      value=${value#*"$newline$2$tab"}
      value=${value%%"$newline"*}
      ;;
    *) value= ;;
  esac
}
at() { # LINES PATH
  find_value "$1" "$2"
  printf '%s\n' "$value"
}

# What stands in place of an answer where a machine is not run by systemd.
unit() { ask systemctl show -p "$2" --value "$1" || true; }

# In memory, and gone at the end.
scratch=$(mktemp -d "/run/cloudcode-look.XXXXXX" 2>/dev/null || mktemp -d "/dev/shm/cloudcode-look.XXXXXX" 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' HUP INT TERM

# A worker has no Docker, but k3s with a containerd of its own. `programs` are those that packages are installed for.
worker="" programs="jq flock iptables curl" made=/opt/cloudcode/bin/cloudcode-host
[ "${role:-host}" != worker ] || worker=yes programs="curl iptables ip6tables ip" made=/opt/cloudcode/k3s/run.sh
[ -z "$worker" ] || [ "$automatic_updates" != true ] || programs="$programs unattended-upgrade"
# Of Docker: the first number of its version, 0 for none, and whether it can do what is asked of it.
engine=0 compose="" engine_ready=""
if [ -z "$worker" ] && have dockerd; then
  engine=$(dockerd --version 2>/dev/null | sed -n 's/[^0-9]*\([0-9][0-9]*\).*/\1/p')
  engine=${engine:-0}
  ! docker compose version --short >/dev/null 2>&1 || compose=yes
  [ -z "$compose" ] || [ "$engine" -lt 25 ] || engine_ready=yes
fi
equipped() {
  for program in $programs; do have "$program" || return 1; done
  [ -n "$worker$engine_ready" ]
}
# Our own part of daemon.json.
our_options=$(printf '%s\n' "${daemon_json:-}" | flatten)

# Whether an `up` has been to its end here: what it made is no longer in the way of the next.
ours=
[ ! -e "$root$made" ] || ours=yes

# How the operator came in, by the words of sshd: address and port there, address and port here. sudo keeps them from the
# environment, but not from the processes above.
connection=${SSH_CONNECTION:-} process=$$
while [ -z "$connection" ] && [ "${process:-0}" -gt 1 ]; do
  connection=$(tr '\0' '\n' 2>/dev/null <"$root/proc/$process/environ" | sed -n 's/^SSH_CONNECTION=//p' | head -n 1)
  process=$(sed -n 's/^PPid:[[:space:]]*//p' "$root/proc/$process/status" 2>/dev/null)
done
