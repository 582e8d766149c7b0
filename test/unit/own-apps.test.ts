// Apps of one's own: what their files may have, what becomes of it, and what an operator reads of a fault.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { z } from "zod";
import { interpolate, plainText } from "../../components/own-apps/interpolate";
import { readOwnApp } from "../../components/own-apps/own-app";
import { everyApp } from "../support/app-settings";
import { composeOf } from "../support/app-faults";
import { minimal } from "../support/minimal";
import { failureOf, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { arrivedFiles } from "../support/releases";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "own-apps-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const manifest = "title: App\nport: 8080\n";
const least = { "app.yaml": manifest, "compose.yaml": "services:\n  web:\n    image: example/web:1.0\n" };

/** The faults of an App, each as `FILE KEY FAULT`. */
function faultsOf(files: Readonly<Record<string, string>>): string[] {
  write(files);
  const app = readOwnApp({ name: "app", title: "apps/app", path: folder }, { timeZone: "UTC" });
  return "open" in app ? [] : app.map(({ file, key, fault }) => [file, key, fault].filter(Boolean).join(" "));
}

/** The faults of a service with these keys, without the file's name. */
function service(keys: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): string[] {
  const compose = { services: { web: { image: "example/web:1.0", ...keys } }, ...more };
  return faultsOf({ ...least, "compose.yaml": JSON.stringify(compose) }).map((fault) =>
    fault.replace(/^compose.yaml /, ""),
  );
}

/** The program with these Apps in the project's folder, and their releases. */
async function up(settings: Readonly<Record<string, string>>) {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await runProgram(settings);
  } finally {
    process.chdir(before);
  }
}

interface Compose {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly networks: unknown;
  readonly volumes: unknown;
}

async function composeIn(run: Awaited<ReturnType<typeof up>>, name: string): Promise<Compose> {
  const files = await arrivedFiles(run, `${name}-release`);
  return composeOf(files.get("compose.yaml")?.content ?? "") as Compose;
}

describe("an App of one's own", () => {
  const memos = {
    "apps/memos/app.yaml": "title: Memos\nport: 5230\nhealth: /healthz\nmemory: 256\nvolumes: { ./data: data }\n",
    "apps/memos/compose.yaml":
      "services:\n  memos:\n    image: neosmemo/memos:0.26.2\n    container_name: memos\n    restart: always\n    volumes: [./data:/var/opt/memos]\n",
  };

  it("gets walls, a route behind two factors, and a volume that backups know", async () => {
    write(memos);
    const run = await up({ ownApps: '["memos"]' });
    const { services, volumes, networks } = await composeIn(run, "memos");
    expect(services["memos"]).toEqual({
      image: "neosmemo/memos:0.26.2",
      healthcheck: expect.objectContaining({
        test: ["CMD-SHELL", expect.stringContaining(":5230/healthz")],
      }) as unknown,
      depends_on: {},
      restart: "unless-stopped",
      cap_drop: ["ALL"],
      cap_add: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"],
      security_opt: ["no-new-privileges:true"],
      mem_limit: "256m",
      memswap_limit: "256m",
      pids_limit: 1024,
      oom_score_adj: 500,
      networks: { default: { aliases: [] }, edge: { aliases: ["memos-memos"] } },
      environment: { TZ: "UTC" },
      volumes: [{ type: "volume", source: "data", target: "/var/opt/memos", read_only: false }],
    });
    expect(volumes).toEqual({ data: {} });
    expect(networks).toEqual({ default: {}, edge: { name: "cloudcode-edge-memos", external: true } });
    const caddyfile = (await arrivedFiles(run, "edge-release")).get("live/Caddyfile")?.content ?? "";
    expect(caddyfile).toContain("memos-memos:5230");
    const rules = (await arrivedFiles(run, "auth-release")).get("configuration.yml")?.content ?? "";
    expect(rules).toMatch(/memos\.203-0-113-7\.sslip\.io[^]*two_factor/);
    expect(run.outputs["urls"]?.value).toHaveProperty("Memos");
  });

  it("may say that its data lives once only, and which of its services a drill leaves out", async () => {
    const more = "onlyOnce: true\ndrill: { without: [bot] }\nservice: memos\n";
    write({
      "apps/memos/app.yaml": memos["apps/memos/app.yaml"] + more,
      "apps/memos/compose.yaml": `${memos["apps/memos/compose.yaml"]}  bot:\n    image: example/bot:1.0\n`,
    });
    const run = await up({ ownApps: '["memos"]' });
    expect((await arrivedFiles(run, "memos-release")).get("plan")?.content.split("\n")).toContain("without bot");
    expect(run.outputs["operations"]?.value).toMatchObject({ onlyOnce: ["memos"] });
  });

  it("that names other services there is refused", () => {
    expect(faultsOf({ ...least, "app.yaml": `${manifest}drill: { without: [bot] }\n` })).toEqual([
      "app.yaml drill.without names bot, which is not a service of the compose file",
    ]);
    expect(faultsOf({ ...least, "app.yaml": `${manifest}drill: { with: [web] }\nonlyOnce: maybe\n` })).toEqual([
      expect.stringMatching(/^app.yaml onlyOnce is neither true nor false$/),
      expect.stringMatching(/^app.yaml drill/),
      expect.stringMatching(/^app.yaml drill/),
    ]);
  });

  it("has secrets of its own, which stay the same and stand in no plain text", async () => {
    write({
      "apps/feeds/app.yaml":
        "title: Feeds\nservice: web\nport: 8080\nsecrets: [DB_PASSWORD, ADMIN]\nlogin: { username: admin, secret: ADMIN }\n",
      "apps/feeds/compose.yaml": `services:
  web:
    image: example/feeds:1.0
    environment: ["DATABASE_URL=postgres://feeds:\${DB_PASSWORD}@db/feeds", "URL=\${CLOUDCODE_URL}", "CALL=\${CLOUDCODE_URL}?k=\${ADMIN}", 'PRICE=a$$b']
  db:
    image: postgres:17.11-alpine
    environment: { POSTGRES_USER: feeds, POSTGRES_PASSWORD: "\${DB_PASSWORD}" }
    volumes: ["rows:/var/lib/postgresql/data"]
volumes: { rows: }
`,
    });
    const settings = { ownApps: '["feeds"]' };
    const [run, again] = [await up(settings), await up(settings)];
    const { services } = await composeIn(run, "feeds");
    const password = (services["db"]?.["environment"] as Record<string, string>)["POSTGRES_PASSWORD"] ?? "";
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(services["web"]?.["environment"]).toEqual({
      TZ: "UTC",
      DATABASE_URL: `postgres://feeds:${password}@db/feeds`,
      URL: "https://feeds.203-0-113-7.sslip.io",
      CALL: expect.stringMatching(/^https:\/\/feeds\.203-0-113-7\.sslip\.io\?k=[0-9a-f]{48}$/) as unknown,
      PRICE: "a$b",
    });
    expect(await composeIn(again, "feeds")).toEqual({ ...(await composeIn(run, "feeds")) });
    const plan = (await arrivedFiles(run, "feeds-release")).get("plan")?.content ?? "";
    expect(plan).toContain("dump db rows sh /cloudcode-dump.sh dump");
    // The operator's own takes its place.
    const own = await up({ ...settings, ownAppSecrets: '{"feeds": {"DB_PASSWORD": "of my own"}}' });
    expect((await composeIn(own, "feeds")).services["db"]?.["environment"]).toMatchObject({
      POSTGRES_PASSWORD: "of my own",
    });
    for (const { inputs } of run.resources)
      expect(JSON.stringify({ ...inputs, stdin: undefined })).not.toContain(password);
  });

  it("may bring files, which it reads and nobody writes, and be built from its folder", async () => {
    write({
      "apps/site/app.yaml": manifest,
      "apps/site/compose.yaml":
        "services:\n  web:\n    build: { context: ./image, args: { LEVEL: 1 } }\n    volumes: ['./conf:/etc/conf:ro', './a.ini:/a.ini:ro']\n",
      "apps/site/image/Dockerfile": "FROM scratch\n",
      "apps/site/conf/deep/x.conf": "x",
      "apps/site/a.ini": "a",
    });
    const run = await up({ ownApps: '["site"]' });
    const web = (await composeIn(run, "site")).services["web"];
    expect(web?.["image"]).toMatch(/^cloudcode\/site-web:[0-9a-f]{16}$/);
    expect(web?.["build"]).toEqual({
      context: expect.stringMatching(/mounts\/web-build$/) as unknown,
      args: { LEVEL: "1" },
    });
    expect(web?.["volumes"]).toEqual([
      expect.stringMatching(/^\.\/files\/[0-9a-f]{16}\/mounts\/web-0:\/etc\/conf:ro$/),
      expect.stringMatching(/^\.\/files\/[0-9a-f]{16}\/mounts\/web-1\/a\.ini:\/a\.ini:ro$/),
    ]);
    const files = await arrivedFiles(run, "site-release");
    expect(files.get("mounts/web-0/deep/x.conf")).toMatchObject({ content: "x", mode: 0o555 });
    expect(files.get("plan")?.content).toContain("build web\n");
  });

  it("gets a number of its environment as it is written, however long", async () => {
    const [id, signed] = ["123456789012345678", "-9007199254740993"];
    write({
      "apps/bot/app.yaml": `${manifest}environment: { CHAT: ${id} }\n`,
      "apps/bot/compose.yaml": `services:\n  web:\n    image: a:1\n    environment: { ID: ${id}, SIGNED: ${signed}, CHAT: "\${CHAT}", SHORT: 12, ON: true }\n`,
    });
    const { services } = await composeIn(await up({ ownApps: '["bot"]' }), "bot");
    expect(services["web"]?.["environment"]).toMatchObject({
      ID: id,
      SIGNED: signed,
      CHAT: id,
      SHORT: "12",
      ON: "true",
    });
  });

  it("may use every spelling that Docker Compose has", async () => {
    write({
      "apps/site/app.yaml": `${manifest}environment: { PUID: 0, UID: 1000 }\nservice: web\n`,
      "apps/site/compose.yaml": JSON.stringify({
        services: {
          web: {
            image: "a:1",
            user: "${PUID:-1000}:${PUID}",
            env_file: [{ path: "some.env" }, "./more.env", { path: "none.env", required: false }],
            cap_add: ["CAP_SYS_CHROOT", "fsetid"],
            cap_drop: ["cap_kill", "CHOWN"],
          },
          job: { image: "a:1", user: "${UID}", restart: "${RESTART:-on-failure:3}", cap_drop: ["all"] },
        },
      }),
      "apps/site/some.env": "A=some\nB='some $ more'\n",
      "apps/site/more.env": "A=more\n",
    });
    const { services } = await composeIn(await up({ ownApps: '["site"]' }), "site");
    expect(services["web"]).toMatchObject({
      user: "0:0",
      environment: { A: "more", B: "some $ more" },
      cap_add: ["DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT", "FSETID"],
    });
    expect(services["job"]).toMatchObject({ user: "1000", restart: "on-failure:3", cap_add: [] });
  });

  it("whose file has a line end in its name adds no line to the command on the operator's machine", async () => {
    write({
      "apps/site/app.yaml": manifest,
      "apps/site/compose.yaml": "services:\n  web:\n    image: example/web:1.0\n    volumes: ['./conf:/etc/conf:ro']\n",
      "apps/site/conf/a\ntouch here\n#": "x",
    });
    const run = await up({ ownApps: '["site"]' });
    const command = run.resources.find(({ name }) => name === "site-release")?.inputs["create"];
    const lines = z.string().parse(command).split("\n");
    expect(lines).toContainEqual(expect.stringMatching(/^# [0-9a-f]{8} "mounts\/web-0\/a\\ntouch here/));
    expect(lines.filter((line) => line.startsWith("touch"))).toEqual([]);
    expect((await arrivedFiles(run, "site-release")).get("mounts/web-0/a\ntouch here\n#")?.content).toBe("x");
  });

  // Some servers have a repository at this one of the two addresses only.
  it.each(["", ".git"])("comes from a commit of a Git repository, whose address ends as given: %j", async (end) => {
    const address = `https://git.example.com/me/apps${end}`;
    const repository = join(folder, "repository");
    write(
      Object.fromEntries(Object.entries(memos).map(([path, text]) => [path.replace("apps/", "repository/"), text])),
    );
    const identity = {
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b",
    };
    const git = (...words: string[]) =>
      execFileSync("git", ["-C", repository, ...words], {
        encoding: "utf8",
        env: { ...process.env, ...identity },
      }).trim();
    git("init", "-q");
    git("add", "-A");
    git("commit", "-qm", "x");
    git("config", "uploadpack.allowAnySHA1InWant", "true");
    const commit = git("rev-parse", "HEAD");
    const env = {
      HOME: folder,
      GIT_ALLOW_PROTOCOL: "file",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: `url.file://${repository}.insteadOf`,
      GIT_CONFIG_VALUE_0: address,
    };
    const replaced = jest.replaceProperty(process, "env", { ...process.env, ...env });
    try {
      const run = await up({ ownApps: JSON.stringify([`${address}#${commit}:memos`]) });
      expect((await composeIn(run, "memos")).services).toHaveProperty("memos");
      const missing = `${address}#${"0".repeat(40)}:memos`;
      const failed = await failure({ ownApps: JSON.stringify([missing]) });
      expect(failed).toMatch(
        /^ownApps: commit 0{40} of https:\/\/git\.example\.com\/me\/apps(\.git)? could not be fetched: .*; nothing was touched$/s,
      );
    } finally {
      replaced.restore();
    }
  });

  it.each(readdirSync(join(projectRoot, "examples/apps")))("the example %s has no fault", (name) => {
    const path = join(projectRoot, "examples/apps", name);
    expect(readOwnApp({ name, title: name, path }, { timeZone: "UTC" })).toHaveProperty("open");
  });
});

async function failure(settings: Readonly<Record<string, string>>): Promise<string> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    const error = await failureOf({ ...minimal, sshCidrs: "", ...settings }, {});
    return error instanceof Error ? error.message : "";
  } finally {
    process.chdir(before);
  }
}

describe("what is unsafe is refused by name", () => {
  it.each([
    ["privileged", true],
    ["network_mode", "host"],
    ["network_mode", "service:other"],
    ["pid", "host"],
    ["ipc", "host"],
    ["uts", "host"],
    ["userns_mode", "host"],
    ["cgroup", "host"],
    ["cgroup_parent", "/"],
    ["devices", ["/dev/kvm:/dev/kvm"]],
    ["device_cgroup_rules", ["c 1:3 mr"]],
    ["gpus", "all"],
    ["runtime", "runc"],
    ["sysctls", { "net.ipv4.ip_forward": 1 }],
    ["security_opt", ["seccomp:unconfined"]],
    ["ports", ["8080:80"]],
    ["ports", [{ target: 80, published: 8080 }]],
    ["volumes_from", ["container:caddy"]],
    ["external_links", ["caddy"]],
    ["extra_hosts", ["host.docker.internal:host-gateway"]],
    ["configs", ["a"]],
    ["secrets", ["a"]],
    ["deploy", { resources: {} }],
    ["extends", { file: "../../other.yaml", service: "web" }],
    ["logging", { driver: "none" }],
    ["mem_limit", "10g"],
    ["oom_score_adj", -1000],
    ["post_start", [{ command: "id", privileged: true }]],
  ])("%s: %j", (key, value) => {
    expect(service({ [key]: value })).toEqual([expect.stringMatching(new RegExp(`^services\\.web\\.${key} .+`))]);
  });

  it.each([
    ["/var/run/docker.sock:/var/run/docker.sock:ro", /Docker's socket/],
    ["/run/containerd/containerd.sock:/x", /Docker's socket/],
    ["/:/host:ro", /mounts \/ of the machine/],
    ["/etc:/etc", /mounts \/etc of the machine/],
    ["~/x:/x", /mounts ~\/x of the machine/],
    ["../other:/x:ro", /mounts \.\.\/other of the machine/],
    ["./a/../../other:/x:ro", /of the machine/],
    ["./link:/x:ro", /which the App's folder does not have/],
    ["./data:/x", /which the App's folder does not have/],
    ["./empty:/x:ro", /which the App's folder does not have or which is empty/],
    ["./here:/x", /nobody can write to/],
    ["/data", /has no name/],
    ["other:/x", /does not list/],
    ["./here:/x:rshared", /is not SOURCE:TARGET/],
    ["${ROOT:-/}:/x", /mounts \/ of the machine/],
  ])("the mount %s", (mount, fault) => {
    write({ "here/file": "" });
    mkdirSync(join(folder, "empty/below"), { recursive: true });
    symlinkSync("/etc/passwd", join(folder, "empty/link"));
    symlinkSync("/etc", join(folder, "link"));
    expect(service({ volumes: [mount] })).toEqual([expect.stringMatching(fault)]);
    const [source = "", target] = mount.split(":");
    if (target === undefined || source.includes("$") || mount.includes("rshared")) return;
    const type = /^[./~]/.test(source) ? "bind" : "volume";
    expect(service({ volumes: [{ type, source, target, read_only: mount.endsWith(":ro") }] })).toEqual([
      expect.stringMatching(fault),
    ]);
  });

  it("two mounts at one place in the container", () => {
    write({ "here/file": "" });
    for (const other of ["./here:/x/:ro", "b:/x", { type: "tmpfs", target: "/y/../x" }])
      expect(service({ volumes: ["a:/x", other] }, { volumes: { a: null, b: null } })).toEqual([
        "services.web.volumes has two mounts at /x",
      ]);
  });

  it("one volume for two folders", () => {
    const withVolumes = (volumes: string, listed = "") =>
      faultsOf({
        "app.yaml": `${manifest}volumes: ${volumes}\n`,
        "compose.yaml": `services:\n  web:\n    image: example/web:1.0\n    volumes: [./a:/a, ./b:/b]\n${listed}`,
      });
    expect(withVolumes("{ ./a: one, ./b: one }")).toEqual([
      "app.yaml volumes../b names the volume one, which a has: give it another name",
    ]);
    expect(withVolumes("{ ./a: one, ./b: two }", "volumes: { two: }\n")).toEqual([
      "app.yaml volumes../b names the volume two, which volumes of the compose file has: give it another name",
    ]);
    expect(withVolumes("{ ./a: one, ./a/: one, ./b: two }")).toEqual([]);
  });

  it("a name of a variable that is none", () => {
    write({ "own.env": "GOOD=1\n" });
    const names = ["A B", "1A", "", "A=B"];
    const environment = Object.fromEntries([...names, "discovery.type-x"].map((name) => [name, "1"]));
    expect(service({ environment, env_file: "own.env" }).sort()).toEqual(
      names
        .map((name) => `services.web.environment has ${JSON.stringify(name)}, which is not a name such as DB_PASSWORD`)
        .sort(),
    );
  });

  it("a place in the container that is none", () => {
    write({ "here/file": "" });
    for (const target of ["x", "/", "/x:rw", "/x\nb", ""])
      expect(service({ volumes: [{ type: "bind", source: "./here", target, read_only: true }] })).toEqual([
        expect.stringMatching(/has no absolute path in the container/),
      ]);
  });

  it("options of a mount, a volume or a network that lead to the machine", () => {
    expect(
      service({ volumes: [{ type: "volume", source: "a", target: "/a", bind: { propagation: "shared" } }] }),
    ).toHaveLength(1);
    for (const options of [
      { external: true },
      { name: "cloudcode-auth_data" },
      { driver_opts: { o: "bind", device: "/" } },
    ])
      expect(service({ volumes: ["a:/a"] }, { volumes: { a: options } })).toHaveLength(1);
    for (const options of [
      { external: true },
      { name: "cloudcode-edge-auth" },
      { driver: "host" },
      { driver_opts: {} },
      { ipam: {} },
    ])
      expect(service({ networks: ["a"] }, { networks: { a: options } })).toHaveLength(1);
    expect(service({ networks: ["edge"] })).toEqual([expect.stringMatching(/networks names edge/)]);
    expect(service({ networks: { edge: { aliases: ["auth-portal"] } } }, { networks: { edge: {} } })).toEqual([
      "networks.edge is the network that Caddy joins: give it another name",
    ]);
    for (const name of ["a b", "a\nbuild web", "ä", "../a"]) {
      expect(service({}, { volumes: { [name]: null } })).toEqual([expect.stringContaining("is not a name of letters")]);
      expect(service({}, { networks: { [name]: null } })).toEqual([
        expect.stringContaining("is not a name of letters"),
      ]);
      expect(faultsOf({ ...least, "compose.yaml": JSON.stringify({ services: { [name]: {} } }) })).toEqual([
        expect.stringContaining("is not a name of lower-case letters"),
      ]);
    }
    for (const top of ["configs", "secrets", "include"]) expect(service({}, { [top]: {} })).toHaveLength(1);
  });

  it("a name by which Caddy finds another part, whichever it is", async () => {
    const app = (name: string, service: string, hostname = "") => ({
      [`apps/${name}/app.yaml`]: manifest,
      [`apps/${name}/compose.yaml`]: JSON.stringify({
        services: { [service]: { image: "a:1", ...(hostname && { hostname }) } },
      }),
    });
    const others = { ...everyApp("least", {}, minimal), ...minimal };
    write({ ...app("my-memos", "web"), ...app("my", "memos-web"), ...app("tg", "signer-web") });
    const run = await up({ ...others, ownApps: '["my-memos"]' });
    const caddyfile = (await arrivedFiles(run, "edge-release")).get("live/Caddyfile")?.content ?? "";
    const upstreams = [...caddyfile.matchAll(/(?<=[\s`/])([a-z]+-[a-z-]+):\d{2,5}\b/g)].map(([, host = ""]) => host);
    expect(upstreams).toEqual(
      expect.arrayContaining(["auth-portal", "opencode-server", "opencode-terminal", "donation-proxy", "my-memos-web"]),
    );
    const names = [...new Set(upstreams)];
    write(Object.assign({}, ...names.map((name, at) => app(`a${at}`, name))) as Record<string, string>);
    write(Object.assign({}, ...names.map((name, at) => app(`b${at}`, "web", name))) as Record<string, string>);
    const tried = names.flatMap((_, at) => [`a${at}`, `b${at}`]);
    const refusal = await failure({ ...others, ownApps: JSON.stringify([...tried, "my-memos", "my", "tg"]) });
    const reported = refusal.split("\n").filter((line) => line.includes("by which Caddy finds"));
    expect(reported.map((line) => line.replace(/, by which Caddy finds .*/, "").trim()).sort()).toEqual(
      [
        "apps/my/compose.yaml services.memos-web has the name my-memos-web",
        "apps/my-memos/compose.yaml services.web has the name my-memos-web",
        "apps/tg/compose.yaml services.signer-web has the name tg-signer-web",
        ...names.flatMap((name, at) => [
          `apps/a${at}/compose.yaml services.${name} has the name ${name}`,
          `apps/b${at}/compose.yaml services.web.hostname has the name ${name}`,
        ]),
      ].sort(),
    );
    for (const hostname of ["api.example.com", "AUTH-Portal"]) {
      write(app("web", "web", hostname));
      expect(await failure({ ownApps: '["web"]' })).toMatch(/services\.web\.hostname has /);
    }
  });

  it("a service whose container would have the name of another App's", async () => {
    const app = (name: string, ...more: string[]) => ({
      [`apps/${name}/app.yaml`]: `title: ${name}\nport: 8080\nservice: web\n`,
      [`apps/${name}/compose.yaml`]: JSON.stringify({
        services: Object.fromEntries(["web", ...more].map((service) => [service, { image: "a:1" }])),
      }),
    });
    write({ ...app("my", "memos-db", "db"), ...app("my-memos", "db"), ...app("tg", "signer-cache") });
    const refusal = await failure({ ownApps: '["my", "my-memos", "tg"]' });
    expect(refusal.split("\n").filter((line) => line.includes("services."))).toEqual([
      expect.stringMatching(
        /my\/compose\.yaml services\.memos-db gets a container .* those of my-memos have: rename it/,
      ),
      expect.stringMatching(/tg\/compose\.yaml services\.signer-cache gets a container .* those of tg-signer have/),
    ]);
  });

  it("a Dockerfile that is not in the folder of its image: Docker Compose would read it from the machine", () => {
    write({ "image/Dockerfile": "FROM scratch\n", "image/other/File": "FROM scratch\n", "beside/Dockerfile": "" });
    symlinkSync("/etc/passwd", join(folder, "image/link"));
    const built = (dockerfile?: string) => service({ image: undefined, build: { context: "image", dockerfile } });
    for (const one of [undefined, "Dockerfile", "./other/File", "other/../Dockerfile"]) expect(built(one)).toEqual([]);
    for (const one of [
      "/etc/passwd",
      "../../../etc/passwd",
      "../beside/Dockerfile",
      "link",
      "none",
      "other",
      "${X:-/}",
    ])
      expect(built(one)).toEqual([expect.stringMatching(/^services\.web\.build\.dockerfile names .* does not have$/)]);
    expect(service({ build: "." })).toEqual([expect.stringMatching(/build\.dockerfile names Dockerfile/)]);
  });

  it("a capability that reaches beyond the container, and an image that moves", () => {
    for (const one of ["SYS_ADMIN", "NET_ADMIN", "NET_RAW", "MKNOD", "ALL", "SYS_PTRACE", "DAC_READ_SEARCH"])
      expect(service({ cap_add: [one] })).toEqual([expect.stringMatching(/cap_add adds/)]);
    for (const image of ["a/b", "a/b:latest", "a:stable", "registry.example.com:5000/a"])
      expect(service({ image })).toEqual([expect.stringMatching(/image names .+ rollback/)]);
    for (const image of ["a/b:1", "registry.example.com:5000/a:1.2", `a@sha256:${"0".repeat(64)}`])
      expect(service({ image })).toEqual([]);
  });

  it("through an anchor or a merge, too", () => {
    const text = "x-all: &all { privileged: true }\nservices:\n  web:\n    <<: *all\n    image: a:1\n";
    expect(faultsOf({ ...least, "compose.yaml": text })).toEqual([expect.stringMatching(/services\.web\.privileged/)]);
  });

  it("whatever keys a service has, no other reach the host", () => {
    const key = fc.oneof(
      fc.stringMatching(/^[a-z_]{2,16}$/),
      fc.constantFrom("privileged", "devices", "ports", "pid", "cap_add", "volumes"),
    );
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), (keys) => {
        write({ ...least, "compose.yaml": JSON.stringify({ services: { web: { image: "a:1", ...keys } } }) });
        const app = readOwnApp({ name: "app", title: "app", path: folder }, { timeZone: "UTC" });
        if (!("open" in app)) return;
        const harmless = new Set([
          "image",
          "container_name",
          "labels",
          "expose",
          "pull_policy",
          "annotations",
          "stdin_open",
          "tty",
          "restart",
        ]);
        const allowed =
          /^(command|entrypoint|environment|env_file|volumes|depends_on|networks|healthcheck|user|group_add|working_dir|tmpfs|read_only|init|stop_signal|stop_grace_period|shm_size|ulimits|cpus|hostname|cap_add|cap_drop|privileged|oom_kill_disable|x-.*)$/;
        expect(Object.keys(keys).filter((one) => !harmless.has(one) && !allowed.test(one))).toEqual([]);
        expect([undefined, false]).toContain(keys["privileged"]);
      }),
    );
  });
});

describe("a fault", () => {
  it("is reported with all others, each with file and key, before anything is touched", async () => {
    write({
      "apps/one/app.yaml": "titel: One\nport: 70000\nmemory: { db: 100 }\n",
      "apps/one/compose.yaml": "services:\n  web: { image: a, ports: ['80:80'], privileged: true }\n",
      "apps/auth/app.yaml": manifest,
      "apps/auth/compose.yaml": least["compose.yaml"],
      "apps/two/app.yaml": "title: Two\nport: 8080\nsubdomain: code\n",
      "apps/two/compose.yaml": least["compose.yaml"],
    });
    const message = await failure({
      ownApps: '["one", "auth", "two", "none"]',
      ownAppSecrets: '{"two": {"X": "y"}, "thre": {}}',
    });
    expect(message.split("\n")).toEqual([
      "the Apps of your own have 12 problems; nothing was touched.",
      "  apps/one/app.yaml title is missing",
      "  apps/one/app.yaml port is above 65535",
      "  apps/one/app.yaml titel is not a key of app.yaml; the nearest is title",
      expect.stringMatching(/^ {2}apps\/one\/compose\.yaml services\.web\.ports publishes a port/),
      expect.stringMatching(/^ {2}apps\/one\/compose\.yaml services\.web\.privileged gives the container/),
      "  apps/auth has the name of a part of cloudcode: rename its folder",
      "  apps/none/app.yaml is missing",
      "  apps/none/compose.yaml is missing",
      "  apps/auth/app.yaml subdomain is auth, which is already the subdomain of the sign-in portal",
      "  apps/two/app.yaml subdomain is code, which is already the subdomain of opencode",
      "  ownAppSecrets two has X, which secrets of its app.yaml does not list",
      "  ownAppSecrets thre is not the name of an App of ownApps",
      "    docs/own-apps.md has an example",
    ]);
  });

  it("is a title that another App has: the outputs would name one of them only", async () => {
    for (const [name, title] of Object.entries({ one: "Notes", two: "notes", three: "OpenCode" }))
      write({
        [`apps/${name}/app.yaml`]: `title: ${title}\nport: 80\n`,
        [`apps/${name}/compose.yaml`]: least["compose.yaml"],
      });
    const message = await failure({ ownApps: '["one", "two", "three"]' });
    expect(message.split("\n").slice(1, -1)).toEqual([
      "  apps/two/app.yaml title is notes, which is already the title of one",
      "  apps/three/app.yaml title is OpenCode, which is already the title of opencode",
    ]);
  });

  it("is a name that the host has for something else: each stack of cloudcode, and the drill of one", async () => {
    const settings = { ...everyApp("least", {}, minimal), ...minimal, notify: '["ntfys://ntfy.example.com/topic"]' };
    const run = await up(settings);
    const { stacks } = z.object({ stacks: z.array(z.string()) }).parse(run.outputs["operations"]?.value);
    expect(stacks).toEqual(expect.arrayContaining(["auth", "edge", "notify", "opencode", "lwsandbox"]));
    const names = [...stacks, "docker", "drill-memos"];
    for (const name of names)
      write({
        [`apps/${name}/app.yaml`]: `${manifest}subdomain: a-${name}\n`,
        [`apps/${name}/compose.yaml`]: least["compose.yaml"],
      });
    const refusal = await failure({ ...settings, ownApps: JSON.stringify(names) });
    const named = refusal.split("\n").filter((line) => line.includes("rename its folder"));
    expect(named.map((line) => /apps\/(\S+) has/.exec(line)?.[1])).toEqual(names);
  });

  it("is a name for which no certificate is issued", async () => {
    write({ "apps/ab--c/app.yaml": manifest, "apps/ab--c/compose.yaml": least["compose.yaml"] });
    expect(await failure({ ownApps: '["ab--c"]' })).toMatch(
      /apps\/ab--c has hyphens in .*certificate: rename its folder/,
    );
  });

  it("of a key with a value of another type is not that it is missing", () => {
    expect(faultsOf({ ...least, "app.yaml": "port: x\nsecrets: A\nhealth: 3\n" })).toEqual([
      "app.yaml title is missing",
      "app.yaml port is not a port",
      "app.yaml health is not a string",
      "app.yaml secrets is not a list of names",
    ]);
    expect(faultsOf({ ...least, "app.yaml": "- title\n" })).toEqual(["app.yaml is not a table of keys"]);
    expect(faultsOf({ ...least, "compose.yaml": "services: web\n" })).toEqual([
      "compose.yaml services is not a table of services",
    ]);
    expect(service({ image: 3, volumes: "x" })).not.toContainEqual(expect.stringContaining("missing"));
    expect(service({ image: undefined })).toEqual(["services.web has neither image nor build"]);
  });

  it("of a database that is copied while it writes is one", () => {
    const data = { volumes: ["a:/data/db"] };
    expect(service({ image: "mongo:8.0", ...data }, { volumes: { a: null } })).toEqual([
      expect.stringMatching(/dumps of app\.yaml/),
    ]);
  });

  it("of YAML names the place", () => {
    expect(faultsOf({ ...least, "compose.yaml": "services: {\n" })).toEqual([
      expect.stringMatching(/^compose\.yaml is not YAML: .* line 2/),
    ]);
    expect(faultsOf({ ...least, "compose.yaml": "a: 1\na: 2\n" })[0]).toMatch(/unique/);
  });
});

describe("variables are replaced as Docker Compose does", () => {
  const variables = { plain: { A: "a", EMPTY: "" }, secrets: new Set(["S"]) };
  const text = (value: string) => plainText(interpolate(value, variables));
  it.each([
    ["$A-${A}", "a-a"],
    ["$$A", "$A"],
    ["${B:-b}", "b"],
    ["${B-${A}x}", "ax"],
    ["${EMPTY:-e}|${EMPTY-e}", "e|"],
    ["${A:+yes}|${B:+yes}|${EMPTY+set}|${EMPTY:+set}", "yes||set|"],
    ["${A:?no}", "a"],
    ["a}b", "a}b"],
  ])("%s", (value, expected) => {
    expect(text(value)).toBe(expected);
  });
  it.each(["$B", "${B}", "${B:?x}", "${A", "$", "${}", "${A!x}", "a$-"])("%s is refused", (value) => {
    expect(() => interpolate(value, variables)).toThrow();
  });
  it("a secret stays one, in its place", () => {
    expect(interpolate("x-${S}-${S:-no}", variables)).toEqual([
      { text: "x-" },
      { secret: "S" },
      { text: "-" },
      { secret: "S" },
    ]);
  });
  it("any text whose $ are doubled arrives as it is", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(text(value.replaceAll("$", "$$$$"))).toBe(value);
      }),
    );
  });
});
