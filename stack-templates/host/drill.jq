# The compose file of a drill (backup-drill.sh), made of what `docker compose config` says of a release. It keeps what is named here alone.
#   $name, $own      the stack, and the folder that has a copy of its release
#   $without         services that are left out, with spaces between
#   $most            bytes of memory that a container gets at most
($without | split("[ \n]"; "") | map(select(. != ""))) as $out
| {"cloudcode.drill": $name} as $labels
| {
    name: "cloudcode-drill-\($name)",
    services: (.services // {} | with_entries(select(.key as $service | $out | index($service) | not)) | map_values(
      . as $service
      | with_entries(select(.key | IN("image", "entrypoint", "command", "environment", "user", "read_only", "tmpfs", "working_dir", "init", "cap_add",
          "cap_drop", "security_opt", "healthcheck", "pids_limit", "stop_grace_period", "shm_size", "ulimits")))
      | . + {
        labels: $labels,
        pull_policy: "never",
        restart: "no",
        # They give way to all that lives here.
        oom_score_adj: 1000,
        cpu_shares: 64,
        mem_limit: ([($service.mem_limit // $most | tonumber), $most] | min),
        depends_on: ($service.depends_on // {} | with_entries(select(.key as $need | $out | index($need) | not))),
        volumes: [$service.volumes[]? | if .type == "volume" and .source then {type, source, target, read_only, volume}
          elif .type == "bind" and (.source | startswith("\($own)/")) then {type, source, target, read_only: true, bind: {create_host_path: true}}
          elif .type == "tmpfs" then {type, target, tmpfs} else empty end | with_entries(select(.value != null))]
      }
      | .memswap_limit = .mem_limit
      | if $service.network_mode == "none" then .network_mode = "none" else
          # Before Docker 26 also a network without a way out answered names of the internet (CVE-2024-29018).
          .dns = ["127.0.0.1"] | .networks = {walls: {aliases: [$service.networks[]? | .aliases[]?]}}
        end)),
    networks: {walls: {internal: true, labels: $labels}},
    volumes: (.volumes // {} | with_entries(.value = {external: true, name: "cloudcode-drill-\($name)_\(.key)"}))
  }
