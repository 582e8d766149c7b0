import { posix } from "node:path";
import type { ReleasePlan } from "../stack/plan";

/** How a backup takes a database: as a dump, since files that are copied while it writes are of no use. */
export type Dump = NonNullable<ReleasePlan["dumps"]>[number];

interface Kind {
  /** Last part of the image's name. */
  readonly image: RegExp;
  /** Folder of the data, as in the image's documentation. */
  readonly data: string;
  /** Program that makes and loads dumps: a script of stack-templates/own-app. */
  readonly script: string;
}

const kinds: readonly Kind[] = [
  // https://hub.docker.com/_/postgres; from 18 on the volume is one folder above the data
  {
    image: /^(postgres|pgvector|postgis|timescaledb(-ha)?|pgvecto-rs)$/,
    data: "/var/lib/postgresql",
    script: "dump-postgres.sh",
  },
  // https://hub.docker.com/_/mariadb, https://hub.docker.com/_/mysql
  { image: /^(mariadb|mysql)$/, data: "/var/lib/mysql", script: "dump-mysql.sh" },
];

/** Databases that no script is here for. */
const unknownKinds =
  /^(mongo|couchdb|cassandra|clickhouse-server|elasticsearch|opensearch|influxdb|mssql|neo4j|arangodb|rethinkdb|cockroach)$/;

/** Where the script is in the container. */
export const dumpScript = "/cloudcode-dump.sh";

/**
 * How a backup takes the data of a service.
 *
 * @param volumes of the service, by their places in the container
 * @param own what app.yaml says
 * @returns the dump, and the script that it needs; undefined where files are copied; a fault that completes the sentence "KEY …"
 */
export function dumpOf(
  service: string,
  image: string,
  volumes: readonly { readonly target: string; readonly source: string }[],
  own: Omit<Dump, "service"> | undefined,
): { readonly dump: Dump; readonly script?: string } | string | undefined {
  if (own) return { dump: { service, ...own } };
  const name = posix.basename(image).replace(/[:@].*$/, "");
  if (unknownKinds.test(name) && volumes.length > 0)
    return "is a database whose files cannot be copied while it runs: say in dumps of app.yaml how it is dumped and loaded";
  const kind = kinds.find((one) => one.image.test(name));
  const data = kind && volumes.find(({ target }) => target === kind.data || target.startsWith(`${kind.data}/`));
  if (kind === undefined || data === undefined) return undefined;
  const words = (word: string) => `sh ${dumpScript} ${word}`;
  return {
    dump: { service, volume: data.source, dump: words("dump"), load: words("load"), flush: words("flush") },
    script: kind.script,
  };
}
