import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { succeeds, until } from "../../cli/run";

const versions = "/usr/lib/postgresql";

/** Programs of the newest PostgreSQL that is installed. */
const programs = (existsSync(versions) ? readdirSync(versions) : [])
  .map((version) => join(versions, version, "bin"))
  .filter((folder) => existsSync(join(folder, "initdb")))
  .sort()
  .at(-1);

export const postgresInstalled = programs !== undefined;

/** PostgreSQL refuses to run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** The real PostgreSQL, which lets in as that of the image does: its socket trusts, an address asks for a password. */
export class Postgres {
  private server: ChildProcess | undefined;

  private constructor(
    /** Belongs to whom the server runs as. */
    readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(join(tmpdir(), "postgres-"));
    const made = new Postgres(folder, await freePort());
    made.own(".");
    for (const name of ["data", "socket"]) made.folderFor(name);
    await made.open();
    return made;
  }

  private async open(): Promise<void> {
    if (programs === undefined) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
    const [data, socket] = [join(this.folder, "data"), join(this.folder, "socket")];
    this.run("initdb", ["-D", data, "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]);
    const options = ["-D", data, "-k", socket, "-p", String(this.port), "-c", "listen_addresses=127.0.0.1"];
    this.server = spawn(join(programs, "postgres"), [...options, "-c", "fsync=off"], {
      env: this.env,
      stdio: "ignore",
      ...nobody,
    });
    const ready = join(programs, "pg_isready");
    const words = ["--quiet", "--host", "127.0.0.1", "--port", String(this.port), "--username", "postgres"];
    await until(
      10,
      async () => (await succeeds(ready, words)) || undefined,
      () => Promise.resolve("PostgreSQL did not start"),
    );
  }

  private own(name: string): void {
    const path = join(this.folder, name);
    if (nobody.uid !== undefined) chownSync(path, nobody.uid, nobody.gid);
    chmodSync(path, 0o700);
  }

  /** A folder that the server's account may write to. */
  folderFor(name: string): string {
    mkdirSync(join(this.folder, name));
    this.own(name);
    return join(this.folder, name);
  }

  private get env(): Record<string, string> {
    return {
      PATH: `${programs ?? ""}:/usr/bin:/bin`,
      PGHOST: join(this.folder, "socket"),
      PGPORT: String(this.port),
      LC_ALL: "C.UTF-8",
    };
  }

  /** A program of PostgreSQL or of the system, as the server's account and at its socket. */
  run(command: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): string {
    return execFileSync(command, args, {
      encoding: "utf8",
      env: { ...this.env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: this.folder,
      ...nobody,
    });
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server !== undefined) {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGINT");
      await ended;
    }
    rmSync(this.folder, { recursive: true });
  }
}
