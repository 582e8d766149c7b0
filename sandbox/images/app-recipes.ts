import type { BaseArgs } from "../host/base";
import { aptInstallStep } from "../host/build";
import type { Recipe } from "../host/build";
import { goBinary } from "../host/tools";

/**
 * Debian's real Python, of another minor version than the official images' 3.11 and 3.12, where those have it: with pip and
 * without Debian's own libraries, which pip could not replace.
 */
export function pythonRecipe(base: string): Recipe {
  return {
    name: "python",
    dockerfile: `FROM ${base}
RUN ${aptInstallStep(["python3", "python3-venv"])} && python3 -m venv /usr/local
CMD ["python3"]
`,
  };
}

/** Debian's real PostgreSQL under the official image's user, folders and entry point. */
export function postgresRecipe(base: string): Recipe {
  return {
    name: "postgres",
    files: { "docker-entrypoint.sh": POSTGRES_ENTRYPOINT },
    dockerfile: `FROM ${base}
RUN groupadd --system --gid 70 postgres \\
 && useradd --system --uid 70 --gid postgres --home-dir /var/lib/postgresql postgres \\
 && mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \\
 && ${aptInstallStep(["postgresql-17"])} \\
 && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
COPY docker-entrypoint.sh /usr/local/bin/
RUN chmod 755 /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
`,
  };
}

/** As the official one: the socket trusts, an address asks for a password, and there is none without a given one. */
const POSTGRES_ENTRYPOINT = `#!/bin/sh
set -eu
[ "$1" = postgres ] || exec "$@"
[ "$(id -u)" != 0 ] || { echo 'this image is used as the user postgres only' >&2; exit 1; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -s "\${POSTGRES_PASSWORD_FILE:-}" ] || { echo 'POSTGRES_PASSWORD_FILE names no password' >&2; exit 1; }
  initdb --username postgres --pwfile "$POSTGRES_PASSWORD_FILE" --auth-local trust --auth-host scram-sha-256
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*'
`;

/** The real Open Policy Agent of the tag's version, laid out as its static image: nothing but the program. */
export async function opaRecipe(tag: string, args: BaseArgs): Promise<Recipe> {
  const version = /^\d+\.\d+\.\d+/.exec(tag)?.[0];
  if (version === undefined)
    throw new Error(`The sandbox can build OPA only from an exact version, not from the tag ${tag}.`);
  return {
    name: "opa",
    copies: { opa: await goBinary(args, "github.com/open-policy-agent/opa", `v${version}`) },
    dockerfile: `FROM scratch
COPY opa /opa
USER 1000:1000
ENTRYPOINT ["/opa"]
CMD ["run"]
`,
  };
}

/** A stand-in for cloudflared, at the place and under the user of its official image. */
export function cloudflaredRecipe(base: string, bundle: string): Recipe {
  return {
    name: "cloudflared",
    copies: { cloudflared: bundle },
    dockerfile: `${nodeOn(base)}
COPY cloudflared /usr/local/bin/cloudflared
USER 65532:65532
ENTRYPOINT ["cloudflared", "--no-autoupdate"]
CMD ["version"]
`,
  };
}

/** A stand-in for CLIProxyAPI, in the folder of its official image. */
export function cliProxyApiRecipe(base: string, bundle: string): Recipe {
  return {
    name: "cli-proxy-api",
    copies: { CLIProxyAPI: bundle },
    dockerfile: `${nodeOn(base)}
WORKDIR /CLIProxyAPI
COPY CLIProxyAPI ./
EXPOSE 8317
CMD ["./CLIProxyAPI"]
`,
  };
}

/** A stand-in for liteboxd's server and gateway, in the folder of their images. */
export function liteboxdRecipe(base: string, bundle: string): Recipe {
  return {
    name: "liteboxd",
    copies: { server: bundle, gateway: bundle },
    dockerfile: `${nodeOn(base)}
WORKDIR /app
COPY server gateway ./
CMD ["./gateway"]
`,
  };
}

/** Debian's real nginx with a page instead of liteboxd's, as its image of the pages is laid out. */
export function liteboxdWebRecipe(base: string): Recipe {
  return {
    name: "liteboxd-web",
    files: { "nginx.conf": LITEBOXD_NGINX, "index.html": "<!doctype html><title>web</title>\n" },
    dockerfile: `FROM ${base}
RUN ${aptInstallStep(["nginx-light", "wget"])} && usermod --uid 101 www-data && groupmod --gid 101 www-data
COPY nginx.conf /etc/nginx/nginx.conf
COPY index.html /usr/share/nginx/html/index.html
CMD ["nginx", "-g", "daemon off;"]
`,
  };
}

/** As in the official image: port 80, and every path is the one page. */
const LITEBOXD_NGINX = `pid /run/nginx.pid;
error_log /dev/stderr;
events {}
http {
  access_log off;
  client_body_temp_path /var/cache/nginx/client;
  proxy_temp_path /var/cache/nginx/proxy;
  fastcgi_temp_path /var/cache/nginx/fastcgi;
  uwsgi_temp_path /var/cache/nginx/uwsgi;
  scgi_temp_path /var/cache/nginx/scgi;
  server {
    listen 80;
    root /usr/share/nginx/html;
    location / { try_files $uri /index.html; }
  }
}
`;

/** The same lines as in the login portal's stand-in, so that the images share their layers. */
export const nodeOn = (base: string) => `FROM ${base}
RUN ${aptInstallStep(["wget"])}
RUN ${aptInstallStep(["nodejs"])}`;
