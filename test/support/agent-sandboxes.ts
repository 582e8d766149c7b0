import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { agentService } from "../../components/apps/lwsandbox-agent";
import { type LiteboxdHome, login } from "./liteboxd";
import { projectRoot } from "./project-root";
import { RenderedCaddy, untilOpen } from "./rendered-caddy";
import { opencodeSite } from "./routes";

const program = (path: string) => join(projectRoot, "stack-templates", path);
const python = ["-I", "-S", "-B"] as const;

/** Most sandboxes of the agent at a time. */
export const most = 2;
export const image = "python:3.12-slim";

/** What lwsandbox and Caddy have for an agent, as the real programs, at the stand-in of liteboxd or liteboxd itself. */
export class AgentSandboxes {
  readonly folder = mkdtempSync(join(tmpdir(), "agent-sandboxes-"));
  readonly ownKey = "key-of-the-agent".repeat(3);
  /** All that the two services said. */
  said = "";
  private readonly children: ChildProcess[] = [];
  private caddy: RenderedCaddy | undefined;
  private keeper: ChildProcess | undefined;

  private constructor(
    private readonly home: LiteboxdHome,
    /** The guard itself, as Caddy reaches it. */
    readonly guard: string,
  ) {
    mkdirSync(join(this.folder, "key"));
    writeFileSync(this.ownKeyFile, this.ownKey);
    this.password(login.password);
  }

  static async open(home: LiteboxdHome): Promise<AgentSandboxes> {
    const port = await freePort();
    const made = new AgentSandboxes(home, `http://127.0.0.1:${port}`);
    made.start(made.guardWords(port));
    await untilOpen(port);
    const services = { alias: "opencode-services", services: [agentService] };
    made.caddy = await RenderedCaddy.start({
      domain: "home.example.com",
      routes: [opencodeSite({ services })],
      portOf: (upstream) => (upstream === agentService.upstream ? Promise.resolve(port) : freePort()),
    });
    await untilOpen(made.caddy.servicePort);
    return made;
  }

  /** Starts what keeps the key. */
  keepKey(): void {
    this.keeper = this.start(this.keyWords());
  }

  /** What Python is given to hand on requests at a port. */
  guardWords(port: number): string[] {
    const guard = program("lwsandbox/agent/guard.py");
    return [...python, guard, this.home.server, String(port), String(most), this.ownKeyFile, this.key];
  }

  /** What it is given to keep the key. */
  keyWords(): string[] {
    const files = [this.key, join(this.folder, "admin-password"), join(this.folder, "looked")];
    return [...python, program("lwsandbox/agent/key.py"), this.home.server, login.username, image, ...files, "1"];
  }

  /** Ends it, as a stop of its container does, or without any warning. */
  async stopKey(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { keeper } = this;
    if (keeper === undefined) return;
    const ended = new Promise((resolve) => keeper.once("close", resolve));
    keeper.kill(signal);
    await ended;
  }

  /** The volume that the two services share. */
  private get key(): string {
    return join(this.folder, "key");
  }

  keyFile(name: "key" | "problem"): string {
    return join(this.key, name);
  }

  /** A file of that volume; undefined: it is not there. */
  read(name: "key" | "problem"): string | undefined {
    try {
      return readFileSync(this.keyFile(name), "utf8");
    } catch {
      return undefined;
    }
  }

  get ownKeyFile(): string {
    return join(this.folder, "own-key");
  }

  /** What the keeper signs in with. */
  password(text: string): void {
    writeFileSync(join(this.folder, "admin-password"), text);
  }

  /** Where OpenCode's tools ask, by way of Caddy. */
  get url(): string {
    return `http://127.0.0.1:${this.caddy?.servicePort ?? 0}/${agentService.name}`;
  }

  /** Command of these tools, and its words. */
  get tools(): { readonly command: string; readonly args: string[] } {
    return { command: "python3", args: [...python, program("opencode/sandboxes/mcp.py"), this.url, this.ownKeyFile] };
  }

  close(): void {
    this.caddy?.stop();
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  private start(words: readonly string[]): ChildProcess {
    const child = spawn("python3", words, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => {
        this.said += data.toString();
      });
    this.children.push(child);
    return child;
  }
}
