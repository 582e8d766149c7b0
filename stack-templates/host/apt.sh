# Packages of the machine, with dead sources distinguished from those that are needed. Sourced by install.sh and by a
# worker's upkeep.sh, which know `fail`.
# shellcheck shell=sh disable=SC2154 # settings.sh and os-release have the lower-case and upper-case names
dead=

# Files that their owner changed stay, no service but the package's own is restarted, and nobody answers questions.
apt() {
  NEEDRESTART_SUSPEND=1 DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 \
    -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# One source of another owner that no longer answers must not stop what comes from the others.
apt_update() {
  words=$(apt update 2>&1) || true
  echo "$words"
  dead=$(printf '%s\n' "$words" | sed -n "/^[EW]: /s/.*\(https\{0,1\}:\/\/[^ ']*\).*/\1/p" | sed 's#/dists/.*##' | sort -u | head -n 3 | paste -sd ' ')
}

# No package that is there has to go: it may be another owner's.
apt_add() { apt install -y --no-install-recommends --no-remove "$@"; }

apt_install() { # PACKAGE...
  apt_update
  words=$(apt_add "$@" 2>&1 || { dpkg --configure -a && apt_add "$@" 2>&1; }) || {
    echo "$words"
    gone=$(apt -s install --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | paste -sd ' ')
    fail "these packages could not be installed: $*${gone:+; they take the place of $gone, which other software here may need: remove those first}${dead:+; apt gets no lists from $dead}: $(printf '%s\n' "$words" | grep '^E: ' | tail -n 2 | paste -sd ' ')"
  }
  echo "$words"
  [ -z "$dead" ] || say "apt gets no lists from $dead: its packages get no updates; fix or remove that source in /etc/apt"
}

engine_ready() {
  command -v docker >/dev/null && docker compose version --short >/dev/null 2>&1 &&
    [ "$(dockerd --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 25 ]
}

undo_sources() { :; }

# The distribution's own sources go to the mirror, anybody else's stay. What stood there before is kept, and comes back when there is no
# mirror any more, unless the file was changed since.
move_sources() {
  [ -n "${apt_mirror:-}" ] || [ -d "$state/apt" ] || return 0
  change sources
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/apt/mirrors/*.list; do
    [ -f "$file" ] || continue
    noted=$state/apt/$(echo "$file" | tr / %)
    original=$file
    if cmp -s "$file" "$noted.moved"; then original=$noted.before; fi
    cat "$original" >"$here/sources.before"
    sed -E "${apt_sources:-}" "$here/sources.before" >"$here/sources.moved"
    if cmp -s "$here/sources.before" "$here/sources.moved"; then
      drop "$noted.before"
      drop "$noted.moved"
    else
      write "$noted.before" <"$here/sources.before"
      write "$noted.moved" <"$here/sources.moved"
    fi
    write "$file" <"$here/sources.moved"
  done
  if changed && [ -n "${apt_mirror:-}" ]; then
    apt_update
    lost=$(printf '%s\n' "$words" | grep -E '^[EW]: (Failed to fetch|The repository)' | grep -F "$apt_mirror/" | head -n 1)
    [ -z "$lost" ] ||
      fail "the mirror $apt_mirror does not answer, or lacks this system: npm run ops -- doctor --host times others, and mirrors.apt names one ($lost)"
  fi
  [ -n "${apt_mirror:-}" ] || rm -rf "$state/apt"
  keep
}

docker_source=/etc/apt/sources.list.d/cloudcode-docker.list
docker_key=/etc/apt/keyrings/cloudcode-docker.asc

undo_repository() { :; }

# Docker's repository, trusted by the key that is part of this release, never by one that the mirror hands out. A source for the
# same repository that another owner made is used as it is: apt refuses to work at all with two different keys for one.
docker_repository() {
  if grep -rsqE "^[^#]*${apt_repository%/}/$ID/?( |\$)" /etc/apt/sources.list /etc/apt/sources.list.d --exclude="${docker_source##*/}"; then return 0; fi
  change repository
  write $docker_key <"$here/docker.asc"
  write $docker_source <<END
deb [arch=$(dpkg --print-architecture) signed-by=$docker_key] ${apt_repository%/}/$ID $VERSION_CODENAME stable
END
  changed || { keep && return; }
  status=0
  words=$(apt update -o Dir::Etc::sourcelist=$docker_source -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 2>&1) || status=$?
  echo "$words"
  case $status$words in
    *NO_PUBKEY* | *"not signed"* | *BADSIG* | *"Missing key"* | *"GPG error"* | *EXPKEYSIG*)
      fail "$apt_repository is not signed with Docker's key (9DC8 5822 9FC7 DD38 854A E2D8 8D81 803C 0EBF CD88): set dockerAptRepository to a true mirror, or dockerPackages to distribution" ;;
    0*"Failed to fetch"* | [!0]*)
      fail "$apt_repository does not answer: set dockerAptRepository to a mirror, or dockerPackages to distribution ($(printf '%s\n' "$words" | grep '^[EW]: ' | head -n 1))" ;;
  esac
  keep
}

install_engine() {
  needed=
  for program in jq flock iptables curl; do command -v $program >/dev/null || needed="$needed $program"; done
  needed=$(echo "$needed" | sed 's/flock/util-linux/')
  # Where Docker came from this repository it goes on to, also from another mirror.
  if [ "$packages" = docker-ce ] && { ! engine_ready || [ -e $docker_source ]; }; then
    # shellcheck disable=SC2086 # package names are words
    if [ -n "$needed" ] || [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then apt_install ca-certificates $needed; fi
    needed=
    docker_repository
  elif [ "$packages" = distribution ] && [ -e $docker_source ] && ! dpkg-query -W -f '${db:Status-Abbrev}' docker-ce 2>/dev/null | grep -q ^ii; then
    change repository
    drop $docker_source
    drop $docker_key
    keep
  fi
  if ! engine_ready; then
    case "$packages $ID" in
      docker-ce*) engine="docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin" ;;
      *debian) engine="docker.io docker-cli docker-compose docker-buildx" ;;
      *) engine="docker.io docker-compose-v2 docker-buildx" ;;
    esac
    # shellcheck disable=SC2086 # package names are words
    apt_install $engine $needed
    engine_ready || fail "Docker Engine 25 or newer with Compose v2 is needed; found $(dockerd --version)"
  elif [ -n "$needed" ]; then
    # shellcheck disable=SC2086
    apt_install $needed
  fi
}
