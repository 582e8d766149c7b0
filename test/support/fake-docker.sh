#!/bin/sh
# Stands in for docker on a PATH of a test: records every call, and answers by the first rule in $FAKE_DOCKER/rules whose
# shell pattern fits the call. A rule is a file: its pattern, its exit code, then what it prints.
call=$*
printf '%s\n' "$call" >>"$FAKE_DOCKER/calls"
for rule in "$FAKE_DOCKER"/rules/*; do
  [ -e "$rule" ] || break
  pattern=$(sed -n 1p "$rule")
  # shellcheck disable=SC2254 # the pattern is one
  case $call in
    $pattern)
      sed 1,2d "$rule"
      exit "$(sed -n 2p "$rule")"
      ;;
  esac
done
case $call in
  "info --format"*) echo "$FAKE_DOCKER" ;;
esac
exit 0
