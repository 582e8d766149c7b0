# Part of cloudcode-check, run within it: disk and memory, and what fills them. Nothing is measured here: sizes are those that
# cloudcode-space saw last.
# shellcheck shell=sh disable=SC2154 # the names are cloudcode-check's
space_seen=${CLOUDCODE_SPACE_SEEN:-/run/cloudcode-space}
memory_seen=${CLOUDCODE_MEMORY_SEEN:-/run/cloudcode-memory}
cgroups=${CLOUDCODE_CGROUPS:-/sys/fs/cgroup}
processes=${CLOUDCODE_PROC:-/proc}

free_kib() { df -Pk "$1" | awk 'NR == 2 { print $4 }'; } # FOLDER

size() { awk -v kib="$1" 'BEGIN { if (kib < 1048576) printf "%d MiB", kib / 1024; else printf "%.1f GiB", kib / 1048576 }'; } # KIB

# The volumes of each stack: its name, their sum in KiB, and which they are, with the largest folders in them.
data_of_stacks() {
  awk -F '\t' '
    function size(kib) { return kib < 1048576 ? sprintf("%d MiB", kib / 1024) : sprintf("%.1f GiB", kib / 1048576) }
    $1 == "volume" { sum[$2] += $4; volumes[$2] = volumes[$2] (volumes[$2] ? ", " : "") $3 " " size($4) }
    $1 == "folder" { folders[$2] = folders[$2] (folders[$2] ? ", " : "; largest folders: ") $3 " " size($4) }
    END { for (stack in sum) print stack "\t" sum[stack] "\t" volumes[stack] folders[stack] }' "$space_seen" 2>/dev/null | sort -t "$(printf '\t')" -k 2,2nr
}

# In KiB; 0 where it was not measured.
measured() { { cat "$space_seen" 2>/dev/null || :; } | awk -F '\t' -v what="$1" '$1 == what { kib = $2 } END { print kib + 0 }'; } # free|images|cache

# What takes the disk of Docker, the largest first; empty where it has not been measured.
what_takes() {
  [ -s "$space_seen" ] || return 0
  {
    data_of_stacks | awk -F '\t' '{ print $2 "\tdata of " $1 }'
    printf '%s\timages\n%s\tbuild cache\n' "$(measured images)" "$(measured cache)"
  } | sort -nr | head -n 4 | awk -F '\t' '{ printf "%s%s %.1f GiB", n++ ? ", " : "", $2, $1 / 1048576 }'
}

check_disk() {
  docker_root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
  takes=$(what_takes)
  for place in / "${docker_root:-/}"; do
    # shellcheck disable=SC2046 # four numbers
    set -- $(df -Pk "$place" | awk 'NR == 2 { print int($4 / 1024), int($4 * 100 / ($3 + $4 + 1)) }') \
      $(df -Pi "$place" | awk 'NR == 2 { print ($2 > 0) ? int($4 * 100 / $2) : 100 }')
    seen="$1 MiB ($2 %) and $3 % of the inodes are free"
    fix="see what uses it${takes:+: $takes} (npm run ops -- ssh, then docker system df; du -xh / | sort -h | tail), then free it or give a larger disk (dataDiskGiB)"
    if [ "$1" -lt 1024 ] || [ "$2" -lt 5 ] || [ "$3" -lt 5 ]; then
      line "disk $place" red "$seen" "$fix"
    elif [ "$1" -lt 3072 ] || [ "$2" -lt 15 ] || [ "$3" -lt 15 ]; then
      line "disk $place" warn "$seen" "$fix"
    else
      line "disk $place" ok "$seen"
    fi
  done | sort -u
}

# A stack has a budget (`disk GIB SETTING` in its plan), or all that is free. One that is used up is red, one that soon will be a warning.
check_data() {
  free=$(free_kib "${docker_root:-/}")
  data_of_stacks | while IFS="$(printf '\t')" read -r stack kib seen; do
    name="data $stack" seen="$(size "$kib"): $seen"
    # shellcheck disable=SC2046 # a number and a word, or none
    set -- $(sed -n 's/^disk //p' "$root/$stack/releases/current/plan" 2>/dev/null)
    clean="delete what is not needed (npm run ops -- exec $stack sh)"
    if [ $# = 2 ] && [ "$kib" -ge $(($1 * 1048576)) ]; then
      line "$name" red "more than its budget of $1 GiB; $seen" "$clean, or raise $2"
    elif [ $# = 2 ] && [ "$kib" -ge $(($1 * 838861)) ]; then
      line "$name" warn "$((kib / ($1 * 10486))) % of its budget of $1 GiB; $seen" "$clean, or raise $2"
    elif [ $# = 0 ] && [ "$kib" -ge $((free * 4)) ]; then
      line "$name" warn "$(size "$free") are free, and it has $seen" "$clean, or give a larger disk (dataDiskGiB)"
    else
      line "$name" ok "$seen"
    fi
  done
}

# The daily removal of old images and build cache, by its result.
check_pruning() {
  last=$(cat "$home/space/last" 2>/dev/null)
  seen="images take $(size "$(measured images)"), build cache $(size "$(measured cache)")"
  if [ ! -e "$home/space" ]; then
    line pruning none "old images are not removed here"
  elif [ -z "$last" ]; then
    line pruning none "$seen; old ones were not removed yet"
  else
    hours=$((($(date +%s) - ${last%% *}) / 3600))
    if [ $hours -gt 72 ] || [ "${last#* }" != ok ]; then
      line pruning red "${last#* }, $hours hours ago; $seen" "npm run ops -- ssh, then journalctl -u cloudcode-prune says why; systemctl start cloudcode-prune tries again"
    else
      line pruning ok "$seen; old ones were removed $hours hours ago"
    fi
  fi
}

# Has the sizes measured while others go on: after six hours, or where 1 GiB was taken in a quarter of an hour or more.
recent_sizes() {
  [ -z "$(find "$space_seen" -mmin -15 2>/dev/null)" ] || return 0
  before=$(measured free)
  if [ -z "$(find "$space_seen" -mmin -360 2>/dev/null)" ] || [ "$(free_kib "${docker_root:-/}")" -lt $((before - 1048576)) ]; then
    systemctl start --no-block cloudcode-space.service >/dev/null 2>&1
  fi
}

# Memory of a container in $used and $highest (MiB), and $killed and $hours for want of it: programs since it started, and when the last
# was. Memory that the kernel can take back at once, copies of files, does not count, as in `docker stats`. Fails where there are no
# cgroups to ask. https://docs.kernel.org/admin-guide/cgroup-v2.html#memory; version 1 has other names.
memory_of() { # ID PID
  folder=$cgroups$(sed -n 's/^0:://p' "$processes/$2/cgroup" 2>/dev/null) current=memory.current events=memory.events inactive=inactive_file
  if [ ! -e "$folder/memory.current" ]; then
    folder=$cgroups/memory$(sed -n 's/^[0-9]*:memory://p' "$processes/$2/cgroup" 2>/dev/null)
    current=memory.usage_in_bytes events=memory.oom_control inactive=total_inactive_file
  fi
  bytes=$(cat "$folder/$current" 2>/dev/null) && [ -n "$bytes" ] || return 1
  files=$(awk -v name=$inactive '$1 == name { print $2 }' "$folder/memory.stat")
  kills=$(awk '$1 == "oom_kill" { print $2 }' "$folder/$events")
  used=$(((bytes - ${files:-0}) / 1048576)) killed=${kills:-0} hours=0 highest=0 known=0 time=0
  read -r highest known time 2>/dev/null <"$memory_seen/$1"
  [ "$used" -lt "${highest:-0}" ] || highest=$used
  [ "$killed" -le "${known:-0}" ] || time=$(date +%s)
  [ "$killed" = 0 ] || hours=$((($(date +%s) - ${time:-0}) / 3600))
  # What was seen of containers that are gone stays for a day.
  (umask 077 && mkdir -p "$memory_seen") && printf '%s %s %s\n' "$highest" "$killed" "${time:-0}" >"$memory_seen/$1" &&
    find "$memory_seen" -type f -mmin +1440 -delete
}
