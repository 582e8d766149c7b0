# shellcheck shell=sh disable=SC2154 # found, root, format and the functions are those of 1-begin.sh; mirrors is ops doctor's
# Mirrors, as `npm run ops -- doctor --host` names them in $mirrors: lines `KIND ADDRESS file URL` and `KIND ADDRESS images NAME@DIGEST…`. Each
# answers with the milliseconds that it took, or with what it lacks. All are asked at once, by one process each.

timed() { # CURL ARGUMENT...: status and milliseconds
  LC_ALL=C curl --silent --show-error --max-time 12 --output /dev/null --write-out '%{http_code} %{time_total}' "$@" 2>/dev/null |
    awk '{ print $1, int($2 * 1000 + 0.5) }'
}

# A registry that asks for a token says where it is had; nobody has to sign in (https://distribution.github.io/distribution/spec/auth/token/).
token() { # HOST NAME REFERENCE
  asked=$(curl --silent --max-time 12 --output /dev/null --dump-header - "https://$1/v2/$2/manifests/$3" 2>/dev/null |
    tr -d '\r' | sed -n 's/^[Ww][Ww][Ww]-[Aa]uthenticate: *[Bb]earer *//p' | head -n 1)
  realm=$(printf '%s' "$asked" | sed -n 's/.*realm="\(https:[^"]*\)".*/\1/p')
  service=$(printf '%s' "$asked" | sed -n 's/.*service="\([^"]*\)".*/\1/p')
  [ -n "$realm" ] || return 0
  curl --silent --max-time 12 --get --data-urlencode "service=$service" --data-urlencode "scope=repository:$2:pull" "$realm" 2>/dev/null |
    sed -n 's/.*"\(access_\)\{0,1\}token" *: *"\([A-Za-z0-9._~+/=-]*\)".*/\2/p' | head -n 1
}

image() { # HOST NAME@DIGEST or NAME:TAG: status and milliseconds of its manifest
  case $2 in *@*) reference=${2#*@} ;; *) reference=${2##*:} ;; esac
  name=${2%%[@:]*}
  set -- "$1" "$(token "$1" "$name" "$reference")"
  timed --location ${2:+--header "Authorization: Bearer $2"} \
    --header 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json' \
    "https://$1/v2/$name/manifests/$reference"
}

ask_mirror() { # ADDRESS file|images WORD...
  address=$1 what=$2
  shift 2
  total=0 lacks=
  for word in "$@"; do
    if [ "$what" = images ]; then answer=$(image "$address" "$word"); else answer=$(timed --location --range 0-262143 "$word"); fi
    case $answer in
      2*) total=$((total + ${answer#* })) ;;
      "" | 000*) echo "none" && return ;;
      *) lacks="$lacks ${word%%@*}" ;;
    esac
  done
  if [ -n "$lacks" ]; then echo "lacks$lacks"; else echo $((total / $#)); fi
}

if [ -n "${mirrors:-}" ] && [ "$format" = lines ]; then
  if ! have curl; then
    add warns mirrors "curl is not installed yet, so the mirrors could not be timed" "apt-get install curl, or run this again after the first up"
  else
    # shellcheck source=/dev/null
    system=$(. "$root/etc/os-release" && echo "$ID") codename=$(. "$root/etc/os-release" && echo "${VERSION_CODENAME:-}")
    mkdir "$scratch/mirrors"
    number=0
    printf '%s\n' "$mirrors" | sed "s#{system}#$(word "$system" debian)#g; s#{codename}#$(word "$codename" stable)#g" >"$scratch/asked"
    while read -r kind address rest; do
      number=$((number + 1))
      # shellcheck disable=SC2086 # words
      ask_mirror "$address" $rest >"$scratch/mirrors/$number" </dev/null &
    done <"$scratch/asked"
    wait
    number=0
    while read -r kind address rest; do
      number=$((number + 1))
      add mirror "$kind" "$address" "$(cat "$scratch/mirrors/$number")"
    done <"$scratch/asked"
  fi
fi
