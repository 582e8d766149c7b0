import type { World } from "../sandbox/world";
import type { Row } from "./main";
import { mebibytes } from "./mebibytes";

const databases = 3000;
const folder = "/var/lib/docker/volumes/cloudcode-opencode_workspace/_data/many";

/** A backup of a workspace with thousands of databases, against the same files under names of no database; and what memory it takes. */
export async function backups(world: World): Promise<Row[]> {
  world.sandbox.configure({ backupRepository: "/var/backups/cloudcode" });
  await world.up();
  await world.onHost(`mkdir -p ${folder} && cd ${folder} && sqlite3 1.db 'create table words (word)' && chown 1000:1000 1.db .
    for n in $(seq 2 ${databases}); do cp -p 1.db $n.db; done`);
  // Docker samples each container about once a second, and says nothing of two if one of them is not there.
  const timed = `start=$(date +%s%N) loops=
    for name in cloudcode-worker cloudcode-restic; do
      (while sleep 0.2; do docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' $name; done >>/tmp/memory 2>/dev/null) &
      loops="$loops $!"
    done
    /opt/cloudcode/bin/cloudcode-backup run opencode >/dev/null; end=$(date +%s%N); kill $loops
    echo $(((end - start) / 1000000)); cat /tmp/memory; rm /tmp/memory`;
  const [withDatabases = "", ...samples] = (await world.onHost(timed)).split("\n");
  await world.onHost(`cd ${folder} && for n in $(seq ${databases}); do mv $n.db $n.txt; done`);
  const [without = ""] = (await world.onHost(timed)).split("\n");
  await world.onHost(`rm -r ${folder}`);
  world.sandbox.configure({ backupRepository: undefined });
  await world.up();
  const most = (name: string) => {
    const own = samples.map((line) => line.split(" ")).filter(([who]) => who === name);
    if (own.length === 0) throw new Error(`no sample of ${name}`);
    return Math.max(...own.map(([, used = ""]) => mebibytes(used)));
  };
  return [
    {
      measure: `backup of ${databases} databases / of as many other files`,
      value: `${(Number(withDatabases) / Number(without)).toFixed(2)} (${(Number(withDatabases) / 1000).toFixed(0)} s)`,
      aim: "<= 3",
    },
    {
      measure: "memory of a backup: copies of databases; restic",
      value: `${most("cloudcode-worker").toFixed(0)}; ${most("cloudcode-restic").toFixed(0)} MiB`,
      aim: "<= 512; <= 1024 MiB",
    },
  ];
}
