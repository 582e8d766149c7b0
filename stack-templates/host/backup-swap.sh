# Part of cloudcode-backup, run within it: volumes that change places with others, so that a reboot in the middle loses nothing.
# shellcheck shell=sh disable=SC2154 # the names are cloudcode-backup's and settings.sh's

# The journal of a change of volumes: the stack, with the format that its data has then where that changes; and a line a volume, with
# tabs between: its folder, where its new contents came from, and where the old ones go; `-` is nowhere. The names are Docker's, which
# bounds them.
journal_begins() { # NAME [FORMAT]
  printf '%s %s\n' "$1" "${2-}" >"$work/journal"
}

# Replaces a stack's volumes by those of a folder. What was there stays next to it until the journal ends.
swap() { # NAME PLACE [ORIGIN [ASIDE]]
  volumes "$1" | while read -r short _ folder; do
    [ -d "$2/volumes/$short" ] || [ -e "$2/dumps/$short" ] || continue
    origin=${3:+$3/$short} aside=${4:+$4/$short}
    printf '%s\t%s\t%s\n' "$folder" "${origin:--}" "${aside:--}" >>"$work/journal" && sync "$work/journal" &&
      mv "$folder" "$folder.before" || exit 1
    if [ -d "$2/volumes/$short" ]; then
      mv "$2/volumes/$short" "$folder" || exit 1
    else
      mkdir "$folder" && chown --reference="$folder.before" "$folder" && chmod --reference="$folder.before" "$folder" || exit 1
    fi
  done
}

# One step, after which nothing goes back: a half removed folder must never do so.
journal_ends() {
  mv "$work/journal" "$work/done"
  tidy
}

# What a change that is whole has replaced. May be repeated.
tidy() {
  if [ -s "$work/done" ]; then
    sed 1d "$work/done" | while IFS="$(printf '\t')" read -r folder _ aside; do
      [ -d "$folder.before" ] || continue
      if [ "${aside:--}" = - ]; then rm -rf "$folder.before"; else mv "$folder.before" "$aside"; fi
    done
    read -r one becomes <"$work/done"
    [ -z "$becomes" ] || changed_format "$one" "$becomes"
  fi
  rm -rf "$work/done" "$work/restore" "$work/said"
}

# What stands in the journal was moved aside and goes back; the stack starts with what it had.
recover() {
  trap hide EXIT
  tidy
  [ -s "$work/journal" ] || return 0
  read -r torn _ <"$work/journal"
  halt "$torn"
  sed 1d "$work/journal" | while IFS="$(printf '\t')" read -r folder origin _; do
    [ -d "$folder.before" ] || continue
    if [ "${origin:--}" = - ]; then rm -rf "$folder"; else [ ! -d "$folder" ] || mv "$folder" "$origin"; fi
    mv "$folder.before" "$folder"
  done
  rm -f "$work/journal"
  if [ -e "$stacks/.standby" ]; then at_rest "$torn"; elif [ ! -e "$stacks/$torn/given" ]; then start "$torn" >/dev/null 2>&1; fi
  record "$torn" restore "" "cut off, runs with what it had"
  say "a restore of $torn was cut off; it runs with what it had"
}
