# What stands in daemon.json, and what of it another owner wants. In: the file as it is (`current`), what we wrote last (`written`)
# and what had stood in its place (`before`), what the program wants (`ours`), the keys that dockerd's command line decides already
# (`flags`: dockerd refuses a key that is in both), and whether Docker is in swarm mode. Out: `daemon`, and `before` for next time.
. as $in
| def flag($key): $in.flags | index($key) != null;
  # What was not changed since we wrote it gives way to what was there before; all else is another owner's. Our own values from
  # before any of this was noted are ours.
  def theirs: with_entries(select(.value != (if $in.written == {} then $in.ours else $in.written end)[.key]));
  def replaced: with_entries(select($in.written[.key] != null and $in.current[.key] == $in.written[.key]));
  (($in.before | replaced) + ($in.current | theirs)) as $before
# dockerd does not start with one log driver and the options of another, so both come from one owner. Log files get a size limit.
| def logs:
    if flag("log-driver") or flag("log-opts") then {"log-driver": $before["log-driver"], "log-opts": $before["log-opts"]}
    elif ($before | has("log-driver") or has("log-opts")) | not then {}
    elif ($before["log-driver"] // "json-file") == "json-file" and $before["log-opts"]["max-size"] == null
    then {"log-driver": $before["log-driver"], "log-opts": ($in.ours["log-opts"] + $before["log-opts"])}
    else {"log-driver": $before["log-driver"], "log-opts": $before["log-opts"]}
    end;
  def both($key): if $in.ours[$key] and $before[$key] then {($key): ($in.ours[$key] + ($before[$key] - $in.ours[$key]))} else {} end;
  # https://docs.docker.com/engine/daemon/live-restore/#live-restore-and-swarm-mode
  def swarm: if $in.swarm then {"live-restore": null} else {} end;
  ($before + $in.ours + logs + both("registry-mirrors") + both("insecure-registries") + swarm)
| with_entries(select(.value != null and (flag(.key) | not)))
| {daemon: ., $before}
