# Part of cloudcode-host, run within it: what it says, and what it writes down.
# shellcheck shell=sh disable=SC2154 # the names are cloudcode-host's

say() { printf '%s\n' "$*" >&3; }

# Replaces every secret of a release by a mark, so that a container's last words can stand in an error; drops colours.
redact() {
  sed 's/\x1b\[[0-9;]*[A-Za-z]//g' | awk -v secrets="$1" '
    BEGIN { while ((getline line < secrets) > 0) if (length(line) > 3) words[++n] = line }
    {
      text = $0
      for (i = 1; i <= n; i++) {
        out = ""
        while ((at = index(text, words[i])) > 0) {
          out = out substr(text, 1, at - 1) "[secret]"
          text = substr(text, at + length(words[i]))
        }
        text = out text
      }
      print text
    }'
}

# Who is connected: sudo removes it from the environment, but not from that of its parent processes.
operator() {
  process=$$ client=${SSH_CONNECTION:-}
  while [ -z "$client" ] && [ "${process:-0}" -gt 1 ]; do
    client=$(tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
    process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null)
  done
  printf '%s from %s' "${CLOUDCODE_OPERATOR:-pulumi}" "${client:+${client%% *}}"
}

# One line a change, whatever comes of it: time, operator, stack, action, release, result.
record() {
  who=$(operator)
  {
    # Stacks change concurrently: the time is taken under the lock, so that the lines are in order.
    flock 7
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$who" "$name" "$action" "${target:-$argument}" "$result" >&7
  } 7>>"$stacks/.history"
  printf '%s of release %s, by %s\n' "$action" "${target:-$argument}" "$who" |
    "$bin/cloudcode-notify" deploy "$name: $result" || true
}

fail() {
  say "cloudcode: $*"
  [ -z "${incoming:-}" ] || rm -rf "$incoming"
  exit 1
}

last_words() { # RELEASE
  sick=$(compose "$1" ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}' 2>/dev/null |
    awk -F'|' '!($2 == "running" && ($3 == "healthy" || $3 == "")) && !($2 == "exited" && $4 == 0) { print $1 }')
  {
    # Compose's own error first: a container that never started has no lines of its own.
    tail -n 3 "$log"
    for service in $sick; do
      printf 'last lines of %s:\n' "$service"
      compose "$1" logs --no-color --no-log-prefix --tail 15 "$service" 2>&1
    done
  } | redact "$stack/releases/$1/secrets" >&3
}
