import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { pack } from "tar-stream";
import { resolveMirrors } from "../../components/mirrors";
import { kinds } from "../support/app-settings";
import { mainland } from "../support/mainland";
import { runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { renderApp } from "../support/rendered-app";

/**
 * The download commands of the rendered Dockerfiles, run by the real apt, npm and pip. One server stands for every mirror; whatever is asked
 * elsewhere goes to a proxy that counts and refuses it.
 */

let folder: string;
let mirror: Server, elsewhere: Server;
let served: string[], strayed: string[];
const files = new Map<string, string | Buffer>();
const listening = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
  const server = createServer(answer);
  server.on("connect", (request: IncomingMessage, socket) => {
    strayed.push(request.url ?? "");
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
};
const portOf = (server: Server) => (server.address() as AddressInfo).port;
const base = () => `http://127.0.0.1:${portOf(mirror)}`;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mainland-"));
  [served, strayed] = [[], []];
  files.clear();
  mirror = await listening(({ url = "" }, response) => {
    served.push(url);
    const file = files.get(decodeURIComponent(url.replace(/\?.*/, "")));
    response.writeHead(file === undefined ? 404 : 200, {
      "content-type": url.endsWith("/") ? "text/html" : "application/octet-stream",
    });
    response.end(file ?? "");
  });
  elsewhere = await listening(({ url = "" }, response) => {
    strayed.push(url);
    response.writeHead(403).end();
  });
});
afterEach(async () => {
  await Promise.all([mirror, elsewhere].map((server) => new Promise((done) => server.close(done))));
  rmSync(folder, { recursive: true });
});

const mirrors = resolveMirrors("mainland", {});
const places = {
  [mirrors?.apt ?? ""]: "",
  [mirrors?.npm ?? ""]: "/npm",
  [mirrors?.pypi ?? ""]: "/simple",
};

/** A rendered Dockerfile, whose mirrors are at the server of this test. */
async function dockerfileOf(app: string): Promise<string> {
  const kind = kinds.find(({ name }) => name === app);
  const text = kind
    ? (await renderApp(kind, mainland)).release.files.find(({ path }) => path.endsWith("image/Dockerfile"))?.content
    : (await arrivedFiles(await runProgram(mainland), `${app}-release`)).get("image/Dockerfile")?.content;
  return Object.entries(places).reduce(
    (all, [address, path]) => all.replaceAll(address, `${base()}${path}`),
    text ?? "",
  );
}

/** Runs the commands of each stage that one of the words begins, with the stage's ARG and ENV. */
async function build(
  dockerfile: string,
  word: string,
  replaced: Readonly<Record<string, string>> = {},
): Promise<string> {
  const said: string[] = [];
  for (const stage of dockerfile
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, " ")
    .split(/^FROM .*\n/m)) {
    const given = [...stage.matchAll(/^(?:ARG|ENV) (.*)$/gm)].flatMap(([, pairs = ""]) => pairs.split(" "));
    const env = Object.fromEntries(
      given.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    );
    const commands = [...stage.matchAll(/^RUN (.*)$/gm)].flatMap(([, line = ""]) => line.split(" && "));
    for (const command of commands.filter((one) => one.startsWith(`${word} `) && !one.includes("--no-index")))
      said.push(
        await run(
          Object.entries(replaced).reduce((text, [from, to]) => text.replaceAll(from, to), command),
          env,
        ),
      );
  }
  return said.join("\n");
}

/** Not spawnSync: the servers answer from this process. */
async function run(command: string, env: Readonly<Record<string, string>>): Promise<string> {
  const proxy = `http://127.0.0.1:${portOf(elsewhere)}`;
  const proxies = Object.fromEntries(
    ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].map((name) => [name, proxy]),
  );
  const child = spawn("sh", ["-c", command], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      ...proxies,
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
      npm_config_prefix: join(folder, "global"),
      npm_config_cache: join(folder, "cache"),
      npm_config_update_notifier: "false",
      npm_config_fetch_retries: "0",
      PIP_CONFIG_FILE: "/dev/null",
      PIP_BREAK_SYSTEM_PACKAGES: "1",
      PIP_TARGET: join(folder, "python"),
      PIP_UPGRADE: "1",
      PIP_RETRIES: "0",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      ...env,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (said += text.toString()));
  const code = await new Promise((done) => child.on("close", done));
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}:\n${said}`);
  return said;
}

/** Puts an npm package on the mirror. @returns its integrity, as lock files have it */
async function npmPackage(name: string, version: string): Promise<string> {
  const archive = pack();
  archive.entry({ name: "package/package.json" }, JSON.stringify({ name, version }));
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const tarball = await promisify(gzip)(Buffer.concat(chunks));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const dist = { tarball: `${base()}/npm/${name}/-/${name}-${version}.tgz`, integrity };
  files.set(
    `/npm/${name}`,
    JSON.stringify({ name, "dist-tags": { latest: version }, versions: { [version]: { name, version, dist } } }),
  );
  files.set(`/npm/${name}/-/${name}-${version}.tgz`, tarball);
  return integrity;
}

/** Puts a wheel on the mirror. @returns the line of a requirements.txt that pins it */
function wheel(): string {
  const path = join(folder, "tiny-1.0.0-py3-none-any.whl");
  const script = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("tiny.py", "")
    wheel.writestr("tiny-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0.0\\n")
    wheel.writestr("tiny-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("tiny-1.0.0.dist-info/RECORD", "tiny.py,,\\ntiny-1.0.0.dist-info/METADATA,,\\ntiny-1.0.0.dist-info/WHEEL,,\\ntiny-1.0.0.dist-info/RECORD,,\\n")`;
  execFileSync("python3", ["-c", script, path]);
  const bytes = readFileSync(path);
  const sum = createHash("sha256").update(bytes).digest("hex");
  files.set("/files/tiny-1.0.0-py3-none-any.whl", bytes);
  files.set(
    "/simple/tiny/",
    `<a href="${base()}/files/tiny-1.0.0-py3-none-any.whl#sha256=${sum}">tiny-1.0.0-py3-none-any.whl</a>`,
  );
  return `tiny==1.0.0 --hash=sha256:${sum}\n`;
}

/** As the base images have it (https://github.com/debuerreotype/debuerreotype). */
const debianSources = `Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const apt = (words: string, ...options: readonly string[]) => {
  for (const name of ["lists/partial", "empty"]) mkdirSync(join(folder, name), { recursive: true });
  const all = {
    "Dir::Etc::sourcelist": "/dev/null",
    "Dir::Etc::sourceparts": join(folder, "sources"),
    "Dir::State::Lists": join(folder, "lists"),
    "APT::Sandbox::User": "root",
    "Acquire::Retries": "0",
    "Debug::NoLocking": "1",
    "Dir::Cache": join(folder, "empty"),
  };
  return `APT_CONFIG=/dev/null apt-get ${Object.entries(all)
    .map(([key, value]) => `-o ${key}=${value}`)
    .join(" ")} ${options.join(" ")} ${words}`;
};

it.each(["opencode", "tg-signer", "donation", "casecheck"])(
  "apt in the image of %s asks the mirror alone",
  async (app) => {
    mkdirSync(join(folder, "sources"));
    const sources = join(folder, "sources/debian.sources");
    const dockerfile = await dockerfileOf(app);
    const stages = dockerfile.split(/^FROM /m).filter((stage) => /apt-get/.test(stage));
    expect(stages.length).toBeGreaterThan(0);
    for (const stage of stages) {
      writeFileSync(sources, debianSources);
      served = [];
      await build(`FROM ${stage}`, "sed", { "/etc/apt/sources.list.d/debian.sources": sources });
      await build(`FROM ${stage}`, "grep", { "/etc/apt/sources.list.d/debian.sources": sources });
      const uris = await run(apt("update --print-uris"), {});
      expect(new Set([...uris.matchAll(/'(\S+?)\/dists/g)].map(([, place]) => place))).toEqual(
        new Set([`${base()}/debian`, `${base()}/debian-security`]),
      );
      // The mirror of this test has nothing, which apt says in words alone.
      await run(`${apt("update")} || true`, {});
      expect(served.filter((url) => url.endsWith("/InRelease"))).toHaveLength(3);
    }
    expect(strayed).toEqual([]);
  },
);

it("an image with sources that the mirror would not serve is not built", async () => {
  mkdirSync(join(folder, "sources"));
  const sources = join(folder, "sources/debian.sources");
  writeFileSync(sources, "Types: deb\nURIs: https://apt.example.com/debian\nSuites: trixie\nComponents: main\n");
  const replaced = { "/etc/apt/sources.list.d/debian.sources": sources };
  const dockerfile = await dockerfileOf("opencode");
  await build(dockerfile, "sed", replaced);
  await expect(build(dockerfile, "grep", replaced)).rejects.toThrow("ended with 1");
});

it.each(["donation", "casecheck"])(
  "npm ci in the image of %s asks the mirror, whatever its lock file says",
  async (app) => {
    const integrity = await npmPackage("tiny", "1.0.0");
    const project = { name: "app", version: "1.0.0", dependencies: { tiny: "1.0.0" } };
    writeFileSync(join(folder, "package.json"), JSON.stringify(project));
    const tiny = { version: "1.0.0", resolved: "https://registry.npmjs.org/tiny/-/tiny-1.0.0.tgz", integrity };
    writeFileSync(
      join(folder, "package-lock.json"),
      JSON.stringify({
        ...project,
        lockfileVersion: 3,
        requires: true,
        packages: { "": project, "node_modules/tiny": tiny },
      }),
    );
    await build(await dockerfileOf(app), "npm ci");
    expect(JSON.parse(readFileSync(join(folder, "node_modules/tiny/package.json"), "utf8"))).toMatchObject({
      name: "tiny",
    });
    expect([served, strayed]).toEqual([["/npm/tiny/-/tiny-1.0.0.tgz"], []]);
  },
);

it("OpenCode comes from the npm mirror, and its container's tools know the mirrors", async () => {
  const dockerfile = await dockerfileOf("opencode");
  const [, version = ""] = /opencode-ai@(\S+)/.exec(dockerfile) ?? [];
  await npmPackage("opencode-ai", version);
  await build(dockerfile, "npm install");
  expect([new Set(served), strayed]).toEqual([
    new Set(["/npm/opencode-ai", `/npm/opencode-ai/-/opencode-ai-${version}.tgz`]),
    [],
  ]);
  const [, env = ""] = /^ENV (NPM_CONFIG_REGISTRY=.*)$/m.exec(dockerfile) ?? [];
  const given = Object.fromEntries(env.split(" ").map((pair) => pair.split("=", 2) as [string, string]));
  expect((await run("npm config get registry", given)).trim()).toBe(`${base()}/npm`);
  expect(await run("python3 -m pip config debug", given)).toContain(`PIP_INDEX_URL='${base()}/simple'`);
  expect(given).toMatchObject({ GOPROXY: "https://goproxy.cn,direct", GOSUMDB: "sum.golang.google.cn" });
});

it.each(["notify", "casecheck", "tg-signer"])(
  "pip in the image of %s asks the mirror, by hash",
  async (app) => {
    const line = wheel();
    for (const name of ["requirements.txt", "build-requirements.txt"]) writeFileSync(join(folder, name), line);
    const replaced = { "/usr/local/lib/casecheck/": "", "pip install": "python3 -m pip install" };
    const dockerfile = await dockerfileOf(app);
    await build(dockerfile, "pip", replaced);
    expect([new Set(served), strayed]).toEqual([new Set(["/simple/tiny/", "/files/tiny-1.0.0-py3-none-any.whl"]), []]);

    writeFileSync(join(folder, "requirements.txt"), line.replace(/[0-9a-f]{64}/, "0".repeat(64)));
    await expect(build(dockerfile, "pip", replaced)).rejects.toThrow("DO NOT MATCH THE HASHES");
  },
  120_000,
);
