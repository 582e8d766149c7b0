import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { runAlicloud, runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { hostTemplates } from "../support/page-host";

jest.setTimeout(60_000);

describe("the notice of a spot machine is asked for", () => {
  const asks = async (run: ReturnType<typeof runProgram>) =>
    /^spot=(.*)$/m.exec((await arrivedFiles(await run, "docker-install")).get("settings.sh")?.content ?? "")?.[1];

  it("on a spot machine of Alibaba Cloud alone", async () => {
    expect(await asks(runAlicloud({ charge: "spot" }))).toBe("yes");
    expect(await asks(runAlicloud({}))).toBe("''");
    expect(await asks(runAlicloud({ charge: "subscription" }))).toBe("''");
    expect(await asks(runProgram({}))).toBe("''");
  });
});

/** Alibaba Cloud's metadata service where a token is required; what it answers of the machine's end. */
class Metadata {
  end: { readonly status: number; readonly body: string } = { status: 404, body: "<html>404 - Not Found</html>\n" };
  readonly asked: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    const { status, body } = this.#answer(request);
    response.writeHead(status).end(body);
  });

  #answer({ method = "", url = "", headers }: IncomingMessage): { status: number; body: string } {
    this.asked.push(`${method} ${url}`);
    if (url === "/latest/api/token")
      return method === "PUT" && Number(headers["x-aliyun-ecs-metadata-token-ttl-seconds"]) > 0
        ? { status: 200, body: "AAAA-token=" }
        : { status: 403, body: "" };
    if (headers["x-aliyun-ecs-metadata-token"] !== "AAAA-token=") return { status: 403, body: "403 - Forbidden" };
    return url === "/latest/meta-data/instance/spot/termination-time" ? this.end : { status: 404, body: "" };
  }

  endsIn(seconds: number): string {
    const body = new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, "");
    this.end = { status: 200, body };
    return body;
  }

  async start(): Promise<void> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
  }
  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
  }
}

describe("cloudcode-spot", () => {
  let root: string;
  let metadata: Metadata;
  beforeEach(async () => {
    metadata = new Metadata();
    await metadata.start();
    root = mkdtempSync(join(tmpdir(), "spot-"));
    for (const folder of ["bin", "path", "backup", "stacks/notify/queue"])
      mkdirSync(join(root, folder), { recursive: true });
    for (const [name, plan] of [
      [
        "casecheck",
        "dump database database pg_dumpall\nflush database psql --command CHECKPOINT postgres\ntimeout 180\n",
      ],
      ["edge", "timeout 180\n"],
    ] as const) {
      mkdirSync(join(root, "stacks", name, "releases/current"), { recursive: true });
      writeFileSync(join(root, "stacks", name, "releases/current/plan"), plan);
    }
    cpSync(join(hostTemplates, "cloudcode-notify"), join(root, "bin/cloudcode-notify"));
    chmodSync(join(root, "bin/cloudcode-notify"), 0o755);
    stand("docker", "case $1 in ps) echo c1; echo c2 ;; esac");
    stand("systemctl", "");
    stand("sync", "");
    backup("exit 0");
    writeFileSync(join(root, "backup/settings.sh"), "repository=/backups\n");
  });
  afterEach(() => {
    metadata.stop();
    rmSync(root, { recursive: true });
  });

  /** A program of the machine that only notes how it was called, before it does this. */
  function stand(name: string, script: string): void {
    writeFileSync(join(root, "path", name), `#!/bin/sh\necho "${name} $*" >>'${root}/calls'\n${script}\n`, {
      mode: 0o755,
    });
  }
  function backup(script: string): void {
    const text = `#!/bin/sh\necho "backup $*" >>'${root}/calls'\n${script}\n`;
    writeFileSync(join(root, "bin/cloudcode-backup"), text, { mode: 0o755 });
  }

  /** One look of the real script. The containers get two seconds to stop. */
  async function look(environment: Readonly<Record<string, string>> = {}) {
    rmSync(join(root, "calls"), { force: true });
    const env = {
      PATH: `${join(root, "path")}:${process.env["PATH"] ?? ""}`,
      CLOUDCODE_ROOT: root,
      CLOUDCODE_SPOT: join(root, "run"),
      CLOUDCODE_METADATA: metadata.address,
      CLOUDCODE_STOP_SECONDS: "2",
      ...environment,
    };
    const began = Date.now();
    const child = spawn("sh", [join(hostTemplates, "cloudcode-spot")], { env, stdio: ["ignore", "ignore", "pipe"] });
    const said = text(child.stderr);
    const [code] = (await once(child, "close")) as [number];
    const file = join(root, "calls");
    const calls = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    return { code, said: await said, calls, seconds: (Date.now() - began) / 1000 };
  }
  const last = () => readFileSync(join(root, "run/last"), "utf8").trim().split("\t").slice(1);
  /** The news of now, each on one line; it is taken away. */
  function news(): string[] {
    const queue = join(root, "stacks/notify/queue");
    return readdirSync(queue)
      .sort()
      .map((name) => {
        const words = readFileSync(join(queue, name), "utf8").trim().replaceAll("\n", " | ");
        rmSync(join(queue, name));
        return words;
      });
  }

  it.each([
    ["404", { status: 404, body: "<html>404 - Not Found</html>\n" }],
    ["nothing", { status: 200, body: "" }],
  ])("does nothing while the metadata answers %s, and notes that it looked", async (_what, end) => {
    metadata.end = end;
    expect(await look()).toMatchObject({ code: 0, said: "", calls: [] });
    expect(metadata.asked).toEqual(["PUT /latest/api/token", "GET /latest/meta-data/instance/spot/termination-time"]);
    expect(last()).toEqual(["0", "no notice"]);
    expect(news()).toEqual([]);
  });

  it("at a notice sends news, has databases write and stops the containers before the end", async () => {
    const end = metadata.endsIn(20);
    const { code, calls, seconds } = await look({ CLOUDCODE_STOP_SECONDS: "1" });
    expect(code).toBe(0);
    expect(calls.map((call) => call.replaceAll(root, "ROOT").trim())).toEqual([
      "docker compose --project-name cloudcode-casecheck --project-directory ROOT/stacks/casecheck --file ROOT/stacks/casecheck/releases/current/compose.yaml exec -T database psql --command CHECKPOINT postgres",
      "sync",
      // 15 of 20 seconds are kept for the end: there is no time.
      "docker ps --quiet",
      "docker stop --time 20 c1 c2",
      "sync",
    ]);
    expect(seconds).toBeGreaterThan(15);
    expect(seconds).toBeLessThan(21);
    expect(last()).toEqual(["2", `Alibaba Cloud takes this machine back at ${end}`]);
    expect(news()).toEqual([
      expect.stringMatching(
        new RegExp(`^spot \\| Alibaba Cloud takes the spot machine \\S+ back at ${end} \\| .*ops -- heal`),
      ),
      expect.stringMatching(/ goes \| There is no time for a last backup; the data disk stays\.$/),
    ]);
    // The timer's next looks, until the machine is gone.
    expect(await look()).toMatchObject({ code: 0, calls: [] });
    expect(news()).toEqual([]);
  });

  // Thirty seconds are the least that leave time for a backup; what is short here is the end.
  it.each([
    ["is made", "exit 0", /The last backup is made\./, 0],
    ["fails", "exit 1", /The last backup is not complete/, 1],
    ["takes longer than there is time", "exec tail -f /dev/null", /The last backup is not complete/, 1],
  ])("a last backup that %s is reported, and holds the end up for no second", async (_what, script, told, stops) => {
    backup(script);
    metadata.endsIn(33);
    stand("sleep", "");
    const { calls, seconds } = await look({ CLOUDCODE_STOP_SECONDS: "2" });
    expect(calls.filter((call) => call.startsWith("backup"))).toEqual(["backup rescue"]);
    expect(calls.filter((call) => call === "docker stop --time 10 cloudcode-restic cloudcode-worker")).toHaveLength(
      stops,
    );
    expect(calls.at(-2)).toBe("docker stop --time 20 c1 c2");
    expect(seconds).toBeLessThan(31);
    expect(news().at(-1)).toMatch(told);
  });

  it("without backups says so", async () => {
    writeFileSync(join(root, "backup/settings.sh"), "");
    metadata.endsIn(1);
    expect((await look()).calls).not.toContain("backup rescue");
    expect(news().at(-1)).toContain("There are no backups here");
  });

  it("with a clock that is behind does not wait for longer than a notice lasts", async () => {
    metadata.endsIn(86_400);
    stand("sleep", "");
    backup("exit 0");
    const { calls } = await look();
    const waited = Number(/^sleep (\d+)$/m.exec(calls.join("\n"))?.[1]);
    expect(waited).toBeGreaterThan(290);
    expect(waited).toBeLessThanOrEqual(298);
    expect(calls).toContain("docker stop --time 20 c1 c2");
  });

  it("starts the containers again on a machine that was not taken, once", async () => {
    metadata.endsIn(0);
    await look();
    news();
    metadata.end = { status: 404, body: "" };
    expect((await look()).calls).toEqual(["systemctl start docker", "docker start c1 c2"]);
    expect(news()).toEqual([expect.stringMatching(/^spot \| The spot machine \S+ stays \| /)]);
    expect((await look()).calls).toEqual([]);

    // Its end has passed, and the notice is still there.
    metadata.endsIn(-170);
    await look();
    expect((await look()).calls).toEqual([]);
    writeFileSync(join(root, "run/notice"), `${metadata.endsIn(-200)}\n`);
    expect((await look()).calls).toEqual(["systemctl start docker", "docker start c1 c2"]);
    expect((await look()).calls).toEqual([]);
  });

  it.each([
    ["a page of somebody else", { status: 200, body: "<html>" }, /answers something else: <html> 200/],
    ["a time that is none", { status: 200, body: "2026-13-41T99:00:00Z" }, /names a time that is none/],
    ["a refusal", { status: 403, body: "no" }, /answers something else: no 403/],
  ])("fails at %s and stops nothing", async (_what, end, words) => {
    metadata.end = end;
    const { code, calls, said } = await look();
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(said).toMatch(words);
    expect(last()[0]).toBe("1");
  });

  it("fails where the metadata service does not answer", async () => {
    const { code, said } = await look({ CLOUDCODE_METADATA: "http://127.0.0.1:9" });
    expect(code).toBe(1);
    expect(said).toMatch(/the metadata service gives no token: curl: \(7\)/);
  });

  it("is a line of the self-check: red at a notice, after a failure, and where nobody looked for five minutes", async () => {
    const check = async () => {
      const child = spawn("sh", [join(hostTemplates, "cloudcode-check"), "recent"], {
        env: {
          PATH: `${join(root, "path")}:${process.env["PATH"] ?? ""}`,
          CLOUDCODE_ROOT: root,
          CLOUDCODE_SPOT: join(root, "run"),
          CLOUDCODE_UPDATES_SEEN: join(root, "seen"),
        },
        stdio: ["ignore", "pipe", "ignore"],
      });
      return (await text(child.stdout)).split("\n").find((line) => line.startsWith("spot\t"));
    };
    stand("apt-get", "");
    stand("apt-cache", "");
    expect(await check()).toBeUndefined();
    await look();
    expect(await check()).toBe("spot\tok\tno notice\t");
    writeFileSync(join(root, "run/last"), `${Math.floor(Date.now() / 1000) - 400}\t0\tno notice\n`);
    expect(await check()).toMatch(/^spot\tred\twas checked 6 minutes ago\t.*journalctl -u cloudcode-spot/);
    metadata.end = { status: 500, body: "" };
    await look();
    expect(await check()).toMatch(/^spot\tred\tthe metadata service answers something else/);
    const end = metadata.endsIn(1);
    await look();
    expect(await check()).toBe(
      `spot\tred\tAlibaba Cloud takes this machine back at ${end}\tonce it is gone: npm run ops -- heal`,
    );
  });
});
