/** Run by way.test.ts as `npm run ops` runs: connection on standard input; prints what a script on the host printed, by both of its ways. */
import { text } from "node:stream/consumers";
import type { Operations } from "../../../components/operations";
import { Ssh } from "../../../ops/ssh";

async function main(script: string): Promise<void> {
  const ssh = await Ssh.open(JSON.parse(await text(process.stdin)) as Operations["connection"]);
  try {
    const { stdout } = await ssh.script(script, [], { input: "payload\n" });
    process.stdout.write(stdout);
    process.exitCode = await ssh.attach(false, script);
  } finally {
    ssh.close();
  }
}

main(process.argv[2] ?? "true").catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
