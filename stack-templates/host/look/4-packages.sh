# shellcheck shell=sh disable=SC2154 # found, root and the functions are those of 1-begin.sh, the rest of settings.sh
# Packages: whether apt could install what is needed.

# Nothing to install: then what is wrong with apt is a warning.
severity=blocks
! equipped || severity=warns

if ! have apt-get || ! have dpkg; then
  add blocks apt "this machine has no apt" "one of the supported systems"
else
  # Who holds the lock, and for how long: a run of some minutes is waited for.
  for lock in "$root/var/lib/dpkg/lock-frontend" "$root/var/lib/dpkg/lock"; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    pid=$(awk -v inode="$inode" '$2 != "->" { n = split($6, part, ":"); if (part[n] == inode) { print $5; exit } }' "$root/proc/locks" 2>/dev/null)
    [ -e "$root/proc/${pid:-none}/stat" ] || continue
    # The name of a process may hold blanks and brackets: the fields are counted behind it. 22nd: start, in hundredths of a second.
    minutes=$(sed 's/.*) //' "$root/proc/$pid/stat" | awk -v up="$(cut -d ' ' -f 1 "$root/proc/uptime")" '{ print int((up - $20 / 100) / 60) }')
    name=$(clean "$(head -n 1 "$root/proc/$pid/comm")" 40)
    if [ "$minutes" -ge 10 ]; then
      add "$severity" apt-locked "$name (process $pid) has kept apt locked for $minutes minutes" "let it end, or find out what it waits for: ps -fp $pid; cat /proc/$pid/stack"
    else
      add warns apt-locked "$name (process $pid) keeps apt locked; it is waited for, 10 minutes at most" "nothing, or wait until it is done"
    fi
    break
  done

  half=$(ask dpkg --audit | grep -E '^ [a-z0-9]' | awk '{ print $1 }' | head -n 5)
  [ -z "$half" ] ||
    add "$severity" dpkg "these packages are installed by half: $(printf '%s\n' "$half" | list)" "dpkg --configure -a && apt-get --fix-broken install"

  # Its own options keep it from the lock and from writing a cache.
  words=$(timeout 60 apt-get -o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= check 2>&1 </dev/null) ||
    case $words in
      *"nmet dependencies"*)
        broken=$(printf '%s\n' "$words" | sed -n 's/^ \([a-z0-9][a-z0-9+.-]*\) : .*/\1/p' | head -n 5 | list)
        add "$severity" apt-broken "packages that others need are missing: ${broken:-see apt-get check}" "apt-get --fix-broken install"
        ;;
      *) add "$severity" apt-broken "apt does not work: $(printf '%s\n' "$words" | grep '^E: ' | head -n 1 | cut -c 4-)" "apt-get check says the same; fix the file that it names" ;;
    esac

  held=$(ask dpkg --get-selections | awk '$2 == "hold" && $1 ~ /^(docker|containerd|runc|iptables|jq|curl|util-linux|systemd-timesyncd|unattended-upgrades|sqlite3)/ { print $1 }')
  if [ -n "$held" ]; then
    equipped || held_severity=$severity
    add "${held_severity:-warns}" apt-held "these packages are held, and get no update: $(printf '%s\n' "$held" | list)" "apt-mark unhold $(word "$(printf '%s\n' "$held" | head -n 1)" PACKAGE)"
  fi

  # Only the signed index of each source, into a folder of its own: what answers, and is signed by a key that apt knows.
  if [ "$severity" = blocks ] || [ "$format" = lines ]; then
    mkdir -p "$scratch/lists/partial" && chmod 711 "$scratch" && chmod 755 "$scratch/lists" "$scratch/lists/partial"
    cat >"$scratch/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State::Lists "$scratch/lists";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Retries "0";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
END
    for target in deb::Packages deb::Translations deb::DEP-11 deb::DEP-11-icons deb::DEP-11-icons-small deb::DEP-11-icons-large \
      deb::DEP-11-icons-hidpi deb::DEP-11-icons-large-hidpi deb::DEP-11-icons-hidpi-large deb::CNF deb::Contents-deb deb::Contents-udeb \
      deb-src::Sources deb-src::Contents-dsc; do
      echo "Acquire::IndexTargets::$target::DefaultEnabled \"false\";"
    done >>"$scratch/apt.conf"
    # As they will be: the distribution's own sources go to the mirror.
    if [ -n "${apt_mirror:-}" ]; then
      mkdir "$scratch/sources"
      for file in "$root/etc/apt/sources.list" "$root"/etc/apt/sources.list.d/*.list "$root"/etc/apt/sources.list.d/*.sources "$root"/etc/apt/mirrors/*.list; do
        [ -f "$file" ] || continue
        case $file in */mirrors/*) place=$scratch/${file##*/} ;; *) place=$scratch/sources/${file##*/} ;; esac
        sed -E "$apt_sources;s#(mirror\+file:)/+etc/apt/mirrors/#\1$scratch/#g" "$file" >"$place"
      done
      chmod -R a+rX "$scratch/sources"
      printf 'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "%s/sources";\n' "$scratch" >>"$scratch/apt.conf"
    fi
    # What checks the signatures writes files of its own.
    mkdir -m 1777 "$scratch/tmp"
    chmod 1777 "$scratch/tmp"
    words=$(TMPDIR="$scratch/tmp" timeout 90 apt-get -c "$scratch/apt.conf" update 2>&1 </dev/null)
    code=$?
    dead=$(printf '%s\n' "$words" | sed -n "/^[EW]: /s/.*\(https\{0,1\}:\/\/[^ ']*\).*/\1/p" | sed 's#/dists/.*##; s#/*$##; s#//[^/]*@#//#' | sort -u | head -n 5)
    all=$(find "$scratch/lists" -name '*Release' | wc -l)
    if [ "$code" -eq 124 ]; then
      add "$severity" apt-sources "apt got no answer from its sources within 90 s" "apt-get update shows which; fix or remove it below /etc/apt"
    elif [ -n "$dead" ]; then
      # One of another owner that is dead leaves the others as they are.
      [ "$all" -gt 0 ] || dead_severity=$severity
      add "${dead_severity:-warns}" apt-sources "apt gets nothing from $(printf '%s\n' "$dead" | list): $(printf '%s\n' "$words" | grep '^[EW]: ' | head -n 1 | cut -c 4- | sed 's#//[^/ ]*@#//#')" \
        "fix or remove it: grep -rn '$(word "$(printf '%s\n' "$dead" | head -n 1 | sed 's#^[a-z]*://##')" ADDRESS)' /etc/apt/sources.list /etc/apt/sources.list.d"
    elif [ "$code" -ne 0 ]; then
      add "$severity" apt-sources "apt cannot read its sources: $(printf '%s\n' "$words" | grep '^E: ' | head -n 1 | cut -c 4-)" "fix the file that it names"
    elif [ "$all" -eq 0 ]; then
      add "$severity" apt-sources "apt has no source at all" "write the distribution's own into /etc/apt/sources.list.d"
    fi
  fi
fi
