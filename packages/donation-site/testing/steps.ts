// Loaded before the site's program: it counts the program's steps, which are requests, writes to the database and lines of the log, each
// when it is done, and kills the program after the step that STEPS_LAST names. It also moves the program's clock and port.
/* eslint-disable @typescript-eslint/unbound-method -- Each of them is called with its object. */
import fs from "node:fs";
import { Server } from "node:net";
import Database from "libsql";

const { STEPS_FILE = "", STEPS_LAST, STEPS_AHEAD = "0", STEPS_PORT } = process.env;
const append = fs.appendFileSync;
let done = 0;

function step(what: string): void {
  done += 1;
  append(STEPS_FILE, `${what}\n`);
  if (done === Number(STEPS_LAST)) process.kill(process.pid, "SIGKILL");
}

const { fetch: send } = globalThis;
globalThis.fetch = async (input, init) => {
  const answer = await send(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  step(`${init?.method ?? "GET"} ${url.pathname.replaceAll(/\/\d+/g, "/N")}`);
  return answer;
};

const writes = /^\s*(insert|update|delete)\s/i;
const { exec, prepare } = Database.prototype;
Object.assign(Database.prototype, {
  exec(this: Database.Database, sql: string) {
    exec.call(this, sql);
    step(sql.trim().split("\n", 1)[0] ?? "");
  },
  prepare(this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql);
    if (!writes.test(sql)) return statement;
    const { run, all } = statement;
    const counted =
      (work: typeof run | typeof all) =>
      (...values: unknown[]) => {
        const answer: unknown = Reflect.apply(work, statement, values);
        step(sql);
        return answer;
      };
    return Object.assign(statement, { run: counted(run), all: counted(all) });
  },
});

const write = fs.writeSync;
Object.assign(fs, {
  writeSync(file: number, ...rest: [string]) {
    const count = write(file, ...rest);
    if (file === 1) step("a line of the log");
    return count;
  },
});

const now = Date.now;
Date.now = () => now() + Number(STEPS_AHEAD);

const { listen } = Server.prototype;
Object.assign(Server.prototype, {
  listen(this: Server, ...all: unknown[]): unknown {
    return Reflect.apply(listen, this, all[0] === 3000 ? [Number(STEPS_PORT), ...all.slice(1)] : all);
  },
});
