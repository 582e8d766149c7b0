import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { releasePayload } from "../../components/stack/payload";
import { formatComments, planText } from "../../components/stack/plan";
import { type Release, type ReleaseSource, digestComment, renderRelease } from "../../components/stack/release";
import { archived, tarOf } from "../support/releases";

const templates: Readonly<Record<string, string>> = {
  "compose.yaml.hbs": `services:
  app:
    image: {{compose (tag "cloudcode/app" "image/")}}
    build: {{compose (mount "image/")}}
    volumes: [{{compose (bind "app.conf" "/etc/app.conf")}}, {{compose (secret "keys/key")}}]
`,
  "app.conf.hbs": "color={{sh color}}\n",
  "keys/key.hbs": "{{text secrets.key}}",
  "image/Dockerfile": "FROM debian\n",
  "image/run.sh": "#!/bin/sh\n",
  "live/site.conf": "live\n",
  "start.sh": "#!/bin/sh\n",
};

const source: ReleaseSource = {
  template: "app",
  values: { color: "red" },
  plan: { networks: ["cloudcode-edge-app"] },
  owners: { "keys/": 1000 },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "templates-"));
  for (const [path, text] of Object.entries(templates)) write(path, text);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, "app", path)), { recursive: true });
  writeFileSync(join(root, "app", path), text);
}

const render = (changes: Partial<ReleaseSource> = {}, secret = "s3cret", key = "digest key") =>
  renderRelease(root, { ...source, ...changes }, { key: secret }, key);

/** Paths whose shown digest differs. */
function changedFiles(before: Release, after: Release): string[] {
  const old = new Map(before.digests.map(({ path, digest }) => [path, digest]));
  return after.digests.filter(({ path, digest }) => old.get(path) !== digest).map(({ path }) => path);
}

describe("the id of a release", () => {
  it.each(Object.keys(templates).filter((path) => path !== "compose.yaml.hbs"))("changes with %s", (path) => {
    const before = render();
    write(path, `${templates[path] ?? ""}# more\n`);
    expect(render().id).not.toBe(before.id);
  });

  it("changes with a value, a secret, an owner and the plan", () => {
    const { id } = render();
    const others = [
      render({ values: { color: "blue" } }),
      render({}, "another"),
      render({ owners: { "keys/": 1001 } }),
      render({ plan: { networks: [] } }),
    ];
    expect(new Set([id, ...others.map((release) => release.id)]).size).toBe(5);
  });

  it("is the same at another time, for another order of the values, and from another folder", () => {
    const before = render({ values: { color: "red", size: 1 } });
    jest.useFakeTimers({ now: new Date("2040-01-01") });
    const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
    execFileSync("cp", ["-r", join(root, "app"), elsewhere]);
    const after = renderRelease(
      elsewhere,
      { ...source, values: { size: 1, color: "red" } },
      { key: "s3cret" },
      "digest key",
    );
    jest.useRealTimers();
    rmSync(elsewhere, { recursive: true });
    expect(after).toEqual(before);
  });
});

describe("the digests a preview shows", () => {
  it("name the changed file, and the compose file that mounts it", () => {
    expect(changedFiles(render(), render({ values: { color: "blue" } }))).toEqual(["compose.yaml", "app.conf"]);
    expect(changedFiles(render(), render({}, "another"))).toEqual(["compose.yaml", "keys/key"]);
  });

  it("leave the compose file alone when a file changes that is read in place", () => {
    const before = render();
    write("live/site.conf", "other\n");
    expect(changedFiles(before, render())).toEqual(["live/site.conf"]);
  });

  it("tell nothing of a secret to one who lacks the key: another key gives another digest and id for the same file", () => {
    const [one, other] = [render(), render({}, "s3cret", "another key")];
    expect(changedFiles(one, other)).toHaveLength(one.digests.length);
    expect(other.id).not.toBe(one.id);
  });

  it("stand in one comment line per file", () => {
    const lines = digestComment(render()).split("\n");
    expect(lines).toHaveLength(Object.keys(templates).length);
    expect(lines[0]).toMatch(/^# [0-9a-f]{8} compose\.yaml$/);
  });
});

describe("a mounted file", () => {
  it("lies below a folder named by its content, so that only its own service is recreated", () => {
    const pathOf = (release: Release, name: string) => release.files.find(({ path }) => path.endsWith(name))?.path;
    const [before, after] = [render(), render({}, "another")];
    expect(pathOf(before, "app.conf")).toMatch(/^files\/[0-9a-f]{16}\/app\.conf$/);
    expect(pathOf(after, "app.conf")).toBe(pathOf(before, "app.conf"));
    expect(pathOf(after, "keys/key")).not.toBe(pathOf(before, "keys/key"));
    expect(pathOf(after, "site.conf")).toBe("live/site.conf");
  });

  it("stands in the compose file by the path it is unpacked to", () => {
    const { files } = render();
    const compose = files.find(({ path }) => path === "compose.yaml")?.content ?? "";
    const paths = [...compose.matchAll(/\.\/(files\/[0-9a-f]{16}\/[\w./]+)/g)].map(([, path]) => path ?? "");
    expect(paths).toHaveLength(3);
    for (const path of paths) expect(files.some((file) => file.path.startsWith(path))).toBe(true);
    expect(compose).toMatch(/"\.\/files\/[0-9a-f]{16}\/keys\/key:\/run\/secrets\/key:ro"/);
    expect(compose).toMatch(/image: "cloudcode\/app:[0-9a-f]{16}"/);
  });
});

describe("a template that is wrong", () => {
  it("is named together with its fault", () => {
    write("app.conf.hbs", "ok\n{{color}}\n");
    expect(() => render()).toThrow("stack-templates/app/app.conf.hbs: line 2: insert values through a helper");
  });

  it("that mounts what is not there is refused", () => {
    write("compose.yaml.hbs", 'x: {{compose (mount "nothing")}}\n');
    expect(() => render()).toThrow('stack-templates/app/compose.yaml.hbs: no file "nothing" to mount');
  });
});

describe("the payload of a release", () => {
  const tar = async (release: Release) => tarOf(await releasePayload(release));

  it("is equal byte for byte whenever it is made", async () => {
    const before = await releasePayload(render());
    jest.useFakeTimers({ now: new Date("2040-01-01"), doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
    const after = await releasePayload(render());
    jest.useRealTimers();
    expect(after).toBe(before);
  });

  it("is equal byte for byte on every machine, whatever zlib its Node.js has", async () => {
    const long = Array.from({ length: 2000 }, (_, line) => `echo line ${line}`).join("\n");
    const release: Release = {
      id: "a",
      digests: [],
      files: [{ path: "a", content: long, mode: 0o400, owner: 0 }],
      plan: { networks: [] },
      secrets: [],
    };
    const payload = await releasePayload(release);
    expect(payload.length).toBeLessThan(long.length / 2);
    expect(createHash("sha256").update(payload).digest("hex")).toBe(
      "af6622381d3e3b4a1152e27348317b621e019b8037b766469bc074ee85e4586c",
    );
  });

  it("is a tar that the real tar lists with owners and modes: secrets for their container alone, scripts to be run", async () => {
    const listing = execFileSync("tar", ["--numeric-owner", "-tv"], { input: await tar(render()), encoding: "utf8" });
    const lines = listing
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ").split(" "));
    const entries = lines.map(
      ([mode, owner, , , , path = ""]) => `${mode ?? ""} ${owner ?? ""} ${path.replace(/[0-9a-f]{16}/, "DIGEST")}`,
    );
    expect(entries).toEqual([
      "-r-------- 0/0 release/compose.yaml",
      "-r-------- 0/0 files/DIGEST/app.conf",
      "-r-xr-xr-x 0/0 files/DIGEST/image/Dockerfile",
      "-r-xr-xr-x 0/0 files/DIGEST/image/run.sh",
      "-r-------- 1000/1000 files/DIGEST/keys/key",
      "-r-------- 0/0 release/live/site.conf",
      "-r-xr-xr-x 0/0 files/DIGEST/start.sh",
      "-r-------- 0/0 release/plan",
      "-r-------- 0/0 release/secrets",
      "-r-------- 0/0 complete",
    ]);
  });

  it("ends with its id, which proves that all of it arrived", async () => {
    const release = render();
    expect((await archived(await tar(release))).at(-1)).toMatchObject({ path: "complete", content: release.id });
  });

  it("lists the lines of its secrets for the host to keep out of errors", async () => {
    const files = await archived(await tar(render({}, "line one\nline two")));
    expect(files.find(({ path }) => path === "release/secrets")?.content).toBe("line one\nline two\n");
  });
});

describe("the plan in words of the host", () => {
  it("has one line for each thing to do, and a default of three minutes for health", () => {
    expect(planText({ networks: [] })).toBe("timeout 180\n");
    expect(
      planText({
        networks: ["a", "b"],
        joins: "caddy",
        aliases: [{ network: "b", name: "models.example.com" }],
        build: ["server"],
        disk: { gib: 20, setting: "opencodeDiskGiB" },
        startFirst: ["server", "pages"],
        startFirstAlone: ["login"],
        check: { service: "caddy", command: "caddy validate --config {release}/x" },
        reload: { service: "caddy", command: "caddy reload --config {release}/x" },
        drill: {
          needs: [{ volume: "config", path: "a/key" }],
          asks: [{ service: "server", about: "users", command: "server list" }],
          without: ["tunnel", "mail"],
        },
        dataFormat: { number: 2, volumes: ["config", "data"] },
        healthTimeout: 60,
      }),
    ).toBe(
      "network a\nnetwork b\nalias b models.example.com\njoins caddy\nbuild server\nstart-first server\nstart-first pages\nstart-first login alone\ndisk 20 opencodeDiskGiB\ncheck caddy caddy validate --config {release}/x\n" +
        "reload caddy caddy reload --config {release}/x\nneeds config a/key\nask server users server list\nwithout tunnel\nwithout mail\nformat 2 config data\ntimeout 60\n",
    );
  });

  it("says in the preview which format the data gets, what is kept, and how it comes back", () => {
    expect(formatComments({ networks: [] }, "app")).toEqual([]);
    expect(formatComments({ networks: [], dataFormat: { number: 2, volumes: ["config", "data"] } }, "app")).toEqual([
      "# data format 2; where the host has another, it keeps a copy of config, data first, and npm run ops -- rollback app brings version and data back",
    ]);
  });
});
