# shellcheck shell=sh disable=SC2154 # found, format and the functions are those of 1-begin.sh
# What was found: lines `look<TAB>SEVERITY<TAB>CODE<TAB>SENTENCE<TAB>FIX` and a last one with their number, for a program; or
# words, what blocks on standard output and what warns on standard error. Ends with 1 where something blocks.
count=$(printf '%s' "$found" | grep -c '^')
blocking=$(printf '%s' "$found" | grep -c '^blocks')
if [ "$format" = lines ]; then
  printf '%s' "$found" | sed "s/^/look$tab/"
  printf 'look\tend\t%s\n' "$count"
  exit 0
fi
printf '%s' "$found" | awk -F '\t' '$1 == "warns" { print "cloudcode: " $3 ". Fix: " $4 }' >&2
[ "$blocking" -gt 0 ] || exit 0
things="$blocking things are"
[ "$blocking" -ne 1 ] || things="1 thing is"
echo "cloudcode: $things in the way on this machine; nothing of it was changed:"
printf '%s' "$found" | awk -F '\t' '$1 == "blocks" { print "  " $2 ": " $3 "\n    fix: " $4 }'
exit 1
