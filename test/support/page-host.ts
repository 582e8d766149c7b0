import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "./project-root";

export const hostTemplates = join(projectRoot, "stack-templates", "host");
export const pageScript = join(hostTemplates, "cloudcode-page");

export interface Container {
  readonly stack: string;
  /** @default server */
  readonly service?: string;
  readonly status?: string;
  readonly health?: string;
  readonly code?: number;
  readonly restart?: string;
  readonly started?: string;
  readonly finished?: string;
  /** Where its compose project lives. @default where cloudcode's do */
  readonly from?: string;
}

/** What cloudcode-page writes. */
export interface PageReport {
  readonly time: number;
  readonly offset: number;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly seen: string;
    readonly fix: string;
  }[];
  readonly apps: Readonly<Record<string, { readonly state: string; readonly since?: number | null }>>;
  readonly releases: Readonly<Record<string, string>>;
  readonly disks: readonly { readonly place: string; readonly size: number; readonly free: number }[];
  readonly memory: { readonly size: number; readonly free: number };
  readonly certificate: { readonly count: number; readonly until: number | null };
  readonly backup: { readonly time: number | null; readonly ok: boolean } | null;
  readonly traffic: { readonly month: string; readonly since: number; readonly bytes: number } | null;
  readonly drill: { readonly time: number | null; readonly ok: boolean } | null;
  readonly deploy: { readonly time: number; readonly stack: string; readonly ok: boolean } | null;
}

/** A folder instead of /opt/cloudcode, and programs of a host that only say what the test wants. */
export class PageHost {
  readonly folder = mkdtempSync(join(tmpdir(), "page-"));
  readonly root = join(this.folder, "root");
  readonly reportFile = join(this.root, "stacks/edge/page/report.json");

  constructor() {
    for (const path of ["root/bin", "root/stacks/edge/releases/current/live/page", "path"])
      mkdirSync(join(this.folder, path), { recursive: true });
    this.docker([]);
    this.checkSays("");
  }

  program(name: string, text: string): void {
    writeFileSync(join(this.folder, "path", name), text, { mode: 0o755 });
  }

  /** In the place of cloudcode-check, which has a test of its own. */
  checkSays(text: string | Buffer, code = 0): void {
    const { folder } = this;
    writeFileSync(join(folder, "said"), text);
    const script = `#!/bin/sh\necho "$1" >'${folder}/asked'\ncat '${folder}/said'\nexit ${code}\n`;
    writeFileSync(join(this.root, "bin/cloudcode-check"), script, { mode: 0o755 });
  }

  /** As `docker ps` and `docker inspect` answer to the formats of the script; nothing else of a container is there to be read. */
  docker(containers: readonly Container[]): void {
    const { folder, root } = this;
    const lines = containers.map((one, index) => `${index} ${one.from ?? join(root, "stacks", one.stack)}\n`);
    for (const [index, one] of containers.entries()) {
      const { stack, status = "running", health = "", code = 0, restart = "unless-stopped" } = one;
      const { started = "2026-11-25T14:03:00.123456789Z", finished = "0001-01-01T00:00:00Z" } = one;
      const facts = [`cloudcode-${stack}`, status, health, code, restart, started, finished, one.service ?? "server"];
      writeFileSync(join(folder, `fact-${index}`), `${JSON.stringify(facts)}\n`);
    }
    this.program(
      "docker",
      `#!/bin/sh
case $1 in
  ps) printf '%s' '${lines.join("")}' ;;
  inspect) shift 3; for id; do cat "${folder}/fact-$id"; done ;;
  info) echo '${folder}' ;;
esac
`,
    );
  }

  /** A person has stopped a service. */
  stopped(stack: string, service: string): void {
    mkdirSync(join(this.root, "stacks", stack, "stopped"), { recursive: true });
    writeFileSync(
      join(this.root, "stacks", stack, "stopped", service),
      "2026-11-27T00:00:00Z by jo@laptop from 192.0.2.1\n",
    );
  }

  /** Bytes that the kernel says an interface has sent; undefined: there is no way to the internet. */
  sent(bytes: number | undefined, device = "eth0"): void {
    const folder = join(this.folder, "sys/class/net", device, "statistics");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "tx_bytes"), `${bytes ?? 0}\n`);
    this.program(
      "ip",
      bytes === undefined
        ? "#!/bin/sh\nexit 2\n"
        : `#!/bin/sh\necho '1.1.1.1 via 10.0.0.1 dev ${device} src 10.0.0.2 uid 0'\n`,
    );
  }

  /** What Caddy's release says of the home. */
  home(hosts: readonly string[], timeZone = "UTC"): void {
    const file = join(this.root, "stacks/edge/releases/current/live/page/home.json");
    writeFileSync(file, JSON.stringify({ hosts, timeZone }));
  }

  environment(): Record<string, string> {
    const path = `${join(this.folder, "path")}:${process.env["PATH"] ?? ""}`;
    return {
      PATH: path,
      CLOUDCODE_ROOT: this.root,
      CLOUDCODE_CADDY: "127.0.0.1:9",
      CLOUDCODE_SYS: join(this.folder, "sys"),
    };
  }

  read(): PageReport {
    return JSON.parse(readFileSync(this.reportFile, "utf8")) as PageReport;
  }

  /** Runs the real script. @throws Error with its words where it fails or says anything */
  run(): PageReport {
    const { status, stderr } = spawnSync("sh", [pageScript], { encoding: "utf8", env: this.environment() });
    if (status !== 0 || stderr !== "") throw new Error(`cloudcode-page ended with ${status ?? "a signal"}: ${stderr}`);
    return this.read();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
