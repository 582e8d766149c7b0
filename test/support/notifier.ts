import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { newsKinds } from "../../components/notify/news";
import { keptPackages } from "./cached";
import { projectRoot } from "./project-root";

const image = join(projectRoot, "stack-templates", "notify", "image");

/** A Python with what the image installs, by the same hashes. */
export function notifierPython(): Promise<string> {
  return keptPackages("notifier", readFileSync(join(image, "requirements.txt"), "utf8"));
}

/** What a receiver was sent. */
export interface Received {
  readonly host: string;
  readonly path: string;
  readonly title: string;
  readonly message: string;
  readonly body: unknown;
}

/** Takes what Apprise sends: by HTTP at its own address, and by HTTPS as every host. */
export class Receiver {
  readonly got: Received[] = [];
  /** What it answers next, and then from now on. */
  answers: { readonly status?: number; readonly body?: string; readonly waits?: number }[] = [{}];
  private readonly certificate = selfSigned([
    "oapi.dingtalk.com",
    "qyapi.weixin.qq.com",
    "open.feishu.cn",
    "open.larksuite.com",
    "api.day.app",
    "api2.pushdeer.com",
    "sctapi.ftqq.com",
  ]);
  private readonly take = (request: IncomingMessage, response: ServerResponse) => {
    void text(request).then((body) => {
      const {
        status = 200,
        body: says = "",
        waits = 0,
      } = (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? {};
      const parsed = parsedBody(body);
      const { title, message } = (typeof parsed === "object" && parsed ? parsed : {}) as Record<string, unknown>;
      this.got.push({
        host: (request.headers.host ?? "").replace(/:.*/, ""),
        path: request.url ?? "",
        title: textOf(title),
        message: textOf(message),
        body: parsed,
      });
      setTimeout(() => response.writeHead(status).end(says), waits);
    });
  };
  private readonly plain: Server = createServer(this.take);
  private readonly secure = createSecureServer(
    { key: this.certificate.key, cert: this.certificate.certificate },
    this.take,
  );
  private readonly proxy: Server = createServer();

  async start(): Promise<void> {
    for (const server of [this.plain, this.secure, this.proxy]) await once(server.listen(0, "127.0.0.1"), "listening");
    this.proxy.on("connect", (_request, socket) => {
      const onward = connect(portOf(this.secure), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      for (const one of [onward, socket]) one.on("error", () => one.destroy());
    });
  }

  /** An address of Apprise that leads here. */
  url(topic = "topic"): string {
    return `json://127.0.0.1:${portOf(this.plain)}/${topic}`;
  }

  /** The environment in which every host is this one. */
  environment(folder: string): NodeJS.ProcessEnv {
    const file = join(folder, "authority.pem");
    writeFileSync(file, this.certificate.certificate);
    return { HTTPS_PROXY: `http://127.0.0.1:${portOf(this.proxy)}`, REQUESTS_CA_BUNDLE: file };
  }

  stop(): void {
    for (const server of [this.plain, this.secure, this.proxy]) {
      server.close();
      server.closeAllConnections();
    }
  }
}

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

function parsedBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return Object.fromEntries(new URLSearchParams(text));
  }
}

/** The real program of the notifier, with a root folder of its own that outlives it. */
export class Notifier {
  readonly root = mkdtempSync(join(tmpdir(), "notifier-"));
  /** All that it said. */
  words = "";
  private child: ChildProcess | undefined;
  private environment: NodeJS.ProcessEnv = {};

  /** @param libraries see {@link notifierPython} */
  constructor(readonly libraries: string) {
    for (const folder of ["run/secrets", "data", "money", "queue", "sign-ins", "tmp", "gateway"])
      mkdirSync(join(this.root, folder), { recursive: true });
  }

  configure(
    urls: readonly string[],
    settings: object = {},
    environment: NodeJS.ProcessEnv = {},
    password = "password of the server",
  ): void {
    const config = { events: newsKinds, quiet: "", timeZone: "UTC", details: false, ...settings };
    writeFileSync(join(this.root, "run/secrets/settings.json"), JSON.stringify(config));
    writeFileSync(join(this.root, "run/secrets/urls"), JSON.stringify(urls));
    writeFileSync(join(this.root, "run/secrets/server-password"), password);
    this.environment = environment;
  }

  /** Writes a file of the release. */
  secret(file: string, text: string): void {
    writeFileSync(join(this.root, "run/secrets", file), text);
  }

  private env(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    const fast = { NOTIFY_LOOP: "0.1", NOTIFY_EVERY: "0.3", PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" };
    const path = [join(image), this.libraries].join(":");
    return { PATH, HOME, PYTHONPATH: path, NOTIFY_ROOT: this.root, ...fast, ...this.environment };
  }

  start(command = "serve"): number {
    const child = spawn("python3", ["-m", "notify", command], { cwd: this.root, env: this.env() });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (words: string) => (this.words += words));
    this.child = child;
    return child.pid ?? 0;
  }

  /** Exit code of the program that runs now, once it ends by itself. */
  async ended(): Promise<number | null> {
    const { child } = this;
    if (child === undefined) throw new Error("it does not run");
    return child.exitCode ?? ((await once(child, "exit"))[0] as number | null);
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Runs another command of it to its end. */
  run(command: string): { readonly status: number | null; readonly words: string } {
    const { status, stdout, stderr } = spawnSync("python3", ["-m", "notify", command], {
      cwd: this.root,
      env: this.env(),
      encoding: "utf8" as const,
    });
    return { status, words: stdout + stderr };
  }

  /** Whether every message was taken and recorded. A notifier that is killed before may send one twice. */
  settled(): boolean {
    return this.run("status").words.endsWith("messages that wait: 0\n");
  }

  /** Leaves news as the host's scripts do. */
  leave(kind: string, title: string, body = "text"): void {
    execFileSync("sh", [join(projectRoot, "stack-templates/host/cloudcode-notify"), kind, title], {
      input: body,
      env: { ...process.env, CLOUDCODE_ROOT: this.hostRoot() },
    });
  }

  /** The host's /opt/cloudcode, whose queue the program reads. */
  hostRoot(): string {
    const host = join(this.root, "host");
    if (!existsSync(host)) {
      mkdirSync(join(host, "stacks/notify"), { recursive: true });
      execFileSync("ln", ["-s", join(this.root, "queue"), join(host, "stacks/notify/queue")]);
    }
    return host;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Waits until it holds, for as long as a busy machine may need. @throws Error with what there is instead */
export async function until(holds: () => boolean, what: () => unknown, seconds = 60): Promise<void> {
  for (let left = seconds * 20; left > 0; left--) {
    if (holds()) return;
    await sleep(50);
  }
  throw new Error(`it did not come to that: ${JSON.stringify(what())}`);
}

/** Gives each test of the place where this is called a notifier and a receiver of their own. */
export function eachWithNotifier(use: (notifier: Notifier, receiver: Receiver) => void): void {
  let libraries: string;
  let notifier: Notifier;
  let receiver: Receiver;
  beforeAll(async () => {
    libraries = await notifierPython();
  });
  beforeEach(async () => {
    receiver = new Receiver();
    await receiver.start();
    notifier = new Notifier(libraries);
    use(notifier, receiver);
  });
  afterEach(async () => {
    await notifier.remove();
    receiver.stop();
  });
}
