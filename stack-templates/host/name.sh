#!/bin/sh
# Part of install.sh, run within it: the records of a free name, first of all before Caddy asks for certificates.
# shellcheck disable=SC2154 # here and fail are install.sh's

name_units=/etc/systemd/system
if [ -s "$here/name-token.conf" ]; then
  install -d -m 700 /opt/cloudcode/name
  # Whether these very records were there at the last look.
  known=
  if cmp -s "$here/name-settings.sh" /opt/cloudcode/name/settings.sh && [ "$(cut -f 2 /opt/cloudcode/name/last)" = 0 ]; then known=yes; fi
  install -m 600 "$here/name-settings.sh" /opt/cloudcode/name/settings.sh
  install -m 600 "$here/name-token.conf" /opt/cloudcode/name/token.conf
  install -m 755 "$here/cloudcode-name" /opt/cloudcode/bin/
  install -m 644 "$here/cloudcode-name.service" "$here/cloudcode-name.timer" $name_units/
  systemctl daemon-reload
  systemctl enable cloudcode-name.timer
  systemctl restart cloudcode-name.timer
  code=0
  words=$(/opt/cloudcode/bin/cloudcode-name) || code=$?
  case $code in
    0) echo "$words" ;;
    # No reason to stop: the timer looks again, and until then ops status is red.
    75) [ -n "$known" ] || fail "the records of the name could not be set: $words" ;;
    *) fail "the records of the name could not be set: $words" ;;
  esac
elif [ -e $name_units/cloudcode-name.timer ]; then
  systemctl disable --now cloudcode-name.timer
  rm -rf $name_units/cloudcode-name.* /opt/cloudcode/name /opt/cloudcode/bin/cloudcode-name
  systemctl daemon-reload
fi
