import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { until } from "../../cli/run";
import { keptPackages } from "./cached";
import { Postgres } from "./postgres";
import { projectRoot } from "./project-root";
import { opa } from "./tools";

const templates = join(projectRoot, "stack-templates/casecheck");
const image = join(templates, "image/api");

/** The stand-in for CaseCheck's repository. */
export const standInSource = join(projectRoot, "packages/offline-kit/stand-ins/sources/casecheck");

export const adminPassword = "Passphrase-of-admin-1";

/** The libraries that CaseCheck's image installs, by hash. */
function libraries(): Promise<string> {
  return keptPackages("casecheck", readFileSync(join(image, "requirements.txt"), "utf8"));
}

/** CaseCheck's database, which several versions use one after the other. */
export class CasecheckDatabase {
  private password = "Abc123";

  private constructor(
    readonly server: Postgres,
    /** What the volume `backups` holds. */
    readonly backups: string,
  ) {}

  static async start(): Promise<CasecheckDatabase> {
    const server = await Postgres.start();
    return new CasecheckDatabase(server, server.folderFor("backups"));
  }

  /** What the service `role` does before a version of CaseCheck starts. */
  prepare(commit: string, password = this.password): string {
    this.password = password;
    const path = (name: string) => join(this.server.folder, name);
    writeFileSync(path("password"), password);
    const sql = readFileSync(join(templates, "database/role.sql"), "utf8");
    writeFileSync(path("role.sql"), sql.replace("/run/secrets/password", path("password")));
    writeFileSync(path("prepare.sh"), readFileSync(join(templates, "database/prepare.sh")));
    return this.server.run("sh", [path("prepare.sh"), commit, join(this.backups, "versions"), path("role.sql")]);
  }

  get url(): string {
    return `postgresql+asyncpg://casecheck:${this.password}@127.0.0.1:${this.server.port}/casecheck`;
  }

  /** One value, as CaseCheck's own user and by address. */
  value(query: string, user = "casecheck", password = this.password): string {
    const words = ["-XAt", "-h", "127.0.0.1", "-U", user, "-d", "casecheck", "-c", query];
    return this.server.run("psql", words, { PGPASSWORD: password }).trim();
  }

  /** Version of the schema. */
  revision(): string {
    return this.value("select version_num from alembic_version");
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** A version of CaseCheck: its own API and policy, started by the image's script, with the real PostgreSQL and the real OPA. */
export class CasecheckBackend {
  private readonly children: ChildProcess[] = [];
  private readonly home = mkdtempSync(join(tmpdir(), "casecheck-home-"));

  private constructor(
    private readonly source: string,
    private readonly database: CasecheckDatabase,
    private readonly ports: { readonly api: number; readonly opa: number },
    private readonly packages: string,
  ) {}

  /** @param source folder of CaseCheck's repository, or of its stand-in */
  static async of(source: string, database: CasecheckDatabase): Promise<CasecheckBackend> {
    const ports = { api: await freePort(), opa: await freePort() };
    return new CasecheckBackend(source, database, ports, await libraries());
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.api}`;
  }

  private get options() {
    return {
      cwd: join(this.source, "backend"),
      env: {
        PATH: `${this.packages}/bin:${process.env["PATH"] ?? ""}`,
        HOME: this.home,
        // Debian has no `python` of itself.
        PYTHONPATH: `${join(this.source, "backend")}:${this.packages}`,
        PYTHONDONTWRITEBYTECODE: "1",
        TZ: "UTC",
        API_V1_PREFIX: "/v1",
        OPA_URL: `http://127.0.0.1:${this.ports.opa}`,
        OPA_POLICY_PATH: "/v1/data/casecheck/authz/response",
        BACKEND_CORS_ORIGINS: '["https://casecheck.home.example.com"]',
        SECRET_KEY: "0123456789abcdef".repeat(4),
        DATABASE_URL: this.database.url,
        ADMIN_PASSWORD: adminPassword,
      },
    };
  }

  private script(): string {
    return readFileSync(join(image, "entrypoint.sh"), "utf8")
      .replace("--host 0.0.0.0 --port 8000", `--host 127.0.0.1 --port ${this.ports.api}`)
      .replaceAll("/usr/local/lib/casecheck", image)
      .replaceAll("    python ", "    python3 ");
  }

  /** What the service `migrate` does. */
  migrate(): { readonly status: number | null; readonly said: string } {
    const { status, stderr, stdout } = spawnSync("sh", ["-c", this.script(), "entrypoint.sh", "migrate"], {
      ...this.options,
      encoding: "utf8",
    });
    return { status, said: stdout + stderr };
  }

  /** The services `opa` and `api`. */
  async serve(): Promise<void> {
    const policies = join(this.source, "policy/policies");
    const listens = ["--addr", `127.0.0.1:${this.ports.opa}`, "--skip-version-check", "--log-level", "error"];
    this.children.push(spawn(await opa(), ["run", "--server", ...listens, policies], { stdio: "ignore" }));
    await untilHealthy(`http://127.0.0.1:${this.ports.opa}`);
    this.children.push(
      spawn("sh", ["-c", this.script(), "entrypoint.sh", "api"], { ...this.options, stdio: "ignore" }),
    );
    await untilHealthy(this.url);
  }

  stop(): void {
    for (const child of this.children) child.kill();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function untilHealthy(address: string): Promise<Response> {
  return until(
    60,
    async () => {
      const answer = await fetch(`${address}/health`).catch(() => undefined);
      return answer?.ok ? answer : undefined;
    },
    () => Promise.resolve(`nothing answers at ${address}`),
  );
}
