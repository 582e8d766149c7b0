# The records of a free name, set before Caddy asks for certificates. Read by install.sh.
# shellcheck shell=sh disable=SC2154 # here, units and fail are install.sh's and transaction.sh's
name_folder=/opt/cloudcode/name

halt_name() { systemctl stop cloudcode-name.timer; }
undo_name() {
  systemctl daemon-reload
  # The state files of the previous program stay with it.
  if [ -e "$units/cloudcode-name.timer" ]; then systemctl restart cloudcode-name.timer; else rm -rf $name_folder; fi
}

set_name() {
  change name
  if [ ! -s "$here/name-token.conf" ]; then
    give_back cloudcode-name $name_folder /opt/cloudcode/bin/cloudcode-name
    return
  fi
  # Whether these very records were there at the last look.
  known=
  if cmp -s "$here/name-settings.sh" $name_folder/settings.sh && [ "$(cut -f 2 $name_folder/last)" = 0 ]; then known=yes; fi
  write $name_folder/settings.sh 600 <"$here/name-settings.sh"
  write $name_folder/token.conf 600 <"$here/name-token.conf"
  chmod 700 $name_folder
  write /opt/cloudcode/bin/cloudcode-name 755 <"$here/cloudcode-name"
  write_units cloudcode-name.service cloudcode-name.timer
  begin_timer name restart "the name"
  code=0
  words=$(/opt/cloudcode/bin/cloudcode-name) || code=$?
  echo "$words"
  # A provider that is busy is no reason to stop where the records are known: the timer looks again, and until then status is red.
  case $code$known in
    0* | 75yes) keep ;;
    *) fail "the records of the name could not be set: $words" ;;
  esac
}
