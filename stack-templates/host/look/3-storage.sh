# shellcheck shell=sh disable=SC2154 # found, root and the functions are those of 1-begin.sh, the rest of settings.sh
# Where things are put: room, inodes, and what the mounts and files there allow.

# The folder itself, or what of its path is there.
present() {
  folder=$1
  while [ -n "$folder" ] && [ ! -e "$root$folder" ]; do folder=${folder%/*}; done
  echo "${folder:-/}"
}
# The mount that holds a folder, of all in /proc/mounts: MOUNT TYPE OPTIONS, a line for each folder. The last of several at one place counts.
mounts_of() { # FOLDER...
  paths=
  for folder in "$@"; do paths="$paths$(present "$folder")/$tab"; done
  awk -v paths="$paths" '
    BEGIN { n = split(paths, path, "\t") - 1 }
    {
      at = $2; gsub(/\\040/, " ", at)
      for (i = 1; i <= n; i++)
        if (index(path[i], at == "/" ? "/" : at "/") == 1 && length(at) >= length(best[i])) { best[i] = at; rest[i] = $3 " " $4 }
    }
    END { for (i = 1; i <= n; i++) print best[i], rest[i] }' "$root/proc/mounts"
}

data_root=$(at "$(flatten 2>/dev/null <"$root/etc/docker/daemon.json")" data-root)
case $data_root in /*) ;; *) data_root=/var/lib/docker ;; esac
[ -z "$worker" ] || data_root=/var/lib/rancher

# MiB that an installation takes at each place, and inodes. Room for the images of OpenCode alone, the rest is a warning's.
image_mib=3072 system_mib=0 cache_mib=0
if [ -n "$worker" ]; then
  image_mib=2048
elif [ -z "$engine_ready" ]; then
  system_mib=700 cache_mib=200
fi
[ -z "$ours" ] || image_mib=256
# Of each folder: blocks that are free to a user, size of one, free inodes, all inodes (0: the file system has no fixed number).
rooms() { # FOLDER...
  for folder in "$@"; do
    shift
    set -- "$@" "$root$(present "$folder")"
  done
  stat -c %d "$@" >"$scratch/devices"
  stat -f -c '%a %S %d %c' "$@" | paste -d ' ' "$scratch/devices" -
}
rooms "$data_root" /usr /var/cache/apt /opt /var/log /tmp >"$scratch/free"
paste -d ' ' "$scratch/free" - >"$scratch/asked" <<END
$image_mib 20000 $(clean "$data_root")
$system_mib 2000 /usr
$cache_mib 100 /var/cache/apt
32 500 /opt
16 100 /var/log
16 100 /tmp
END
awk -v tab="$tab" '{
    if (!($1 in need)) order[++n] = $1
    free[$1] = int($2 * $3 / 1048576); left[$1] = $5 > 0 ? $4 : -1
    need[$1] += $6; nodes[$1] += $7; places[$1] = places[$1] (places[$1] == "" ? "" : ", ") $8
  } END {
    for (i = 1; i <= n; i++) { d = order[i]; print free[d] tab need[d] tab left[d] tab nodes[d] tab places[d] }
  }' "$scratch/asked" >"$scratch/rooms"
while IFS="$tab" read -r free need left nodes places; do
  where="$places (on $(mounts_of "${places%%,*}" | cut -d ' ' -f 1))"
  severity=blocks
  [ -z "$ours" ] || severity=warns
  if [ "$free" -lt "$need" ]; then
    add $severity disk "$free MiB are free for $where, and $need MiB are needed" "make room: docker system prune, apt-get clean, journalctl --vacuum-size=100M; or a larger disk"
  elif [ -z "$ours$worker" ] && [ "$free" -lt 8192 ] && case $places in *"$data_root"*) true ;; *) false ;; esac; then
    add warns disk "$free MiB are free for $where; the images of all Apps take 8 GiB" "a larger disk, before more Apps are switched on"
  fi
  [ "$left" -lt 0 ] || [ "$left" -ge "$nodes" ] ||
    add $severity inodes "$left inodes are free for $where, and $nodes are needed" "find the folder of many small files (du --inodes -x / | sort -n | tail), and empty it"
done <"$scratch/rooms"

for folder in /etc /usr /opt /var/lib /var/log /tmp "$data_root"; do
  at=$(present "$folder")
  if [ ! -w "$root$at" ]; then
    add blocks read-only "$folder cannot be written, not even by root: $(mounts_of "$folder")" "mount -o remount,rw $(word "$(mounts_of "$folder" | cut -d ' ' -f 1)" MOUNT); look into dmesg first: a damaged disk is mounted so"
  fi
done
mounts_of /opt "$data_root" /usr /tmp >"$scratch/mounts"
kind=
{
  for folder in /opt "$data_root" /usr; do
    read -r mount type options
    case ",$options," in
      *,noexec,*)
        add blocks noexec "nothing may be run below $folder: $mount is mounted noexec" "mount -o remount,exec $(word "$mount" MOUNT), and its line in /etc/fstab without noexec"
        ;;
    esac
    [ "$folder" != "$data_root" ] || kind="$mount $type"
  done
  read -r mount type options
  case ",$options," in
    # Scripts are given to sh, so that only what packages ask before they are installed is lost.
    *,noexec,*) [ -n "$ours" ] || add warns noexec-tmp "/tmp is mounted noexec: packages that ask questions before they are installed take their defaults" "nothing; or mount -o remount,exec /tmp meanwhile" ;;
  esac
} <"$scratch/mounts"
case ${kind#* } in
  nfs* | cifs | smb* | fuse* | 9p | vfat | exfat | ntfs* | ecryptfs)
    add blocks file-system "the containers' data would be on $kind, a file system that it cannot use" "a disk with ext4 or xfs there"
    ;;
esac
[ "$data_root" = /var/lib/docker ] || [ -z "${data_disk:-}" ] ||
  add blocks data-root "Docker keeps its data in $data_root, and the data disk is for /var/lib/docker" "take data-root out of /etc/docker/daemon.json"

attributes() { # FILE...
  for file in "$@"; do
    shift
    set -- "$@" "$root$file"
  done
  lsattr -d "$@" 2>/dev/null
}
if have lsattr; then
  attributes /etc /etc/docker /etc/docker/daemon.json /etc/ssh /etc/ssh/sshd_config /etc/ssh/sshd_config.d /etc/systemd/system /etc/apt /etc/apt/sources.list.d /etc/fstab /opt /opt/cloudcode /usr/bin /var/lib/dpkg >"$scratch/attributes"
  while read -r letters file; do
    file=${file#"$root"}
    case $letters in
      *i* | *a*) add blocks immutable "$file cannot be changed, not even by root: it has the attribute i or a" "chattr -ia $file" ;;
    esac
  done <"$scratch/attributes"
fi
