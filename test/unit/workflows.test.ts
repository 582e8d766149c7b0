import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { defaultImages, defaultSources } from "../../components/images";
import { projectRoot } from "../support/project-root";

const stepSchema = z.looseObject({
  name: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  env: z.record(z.string(), z.unknown()).optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const jobSchema = z.looseObject({
  "timeout-minutes": z.number(),
  permissions: z.record(z.string(), z.string()),
  environment: z.string().optional(),
  steps: z.array(stepSchema),
});
const workflowSchema = z.looseObject({
  on: z.unknown(),
  permissions: z.strictObject({}),
  concurrency: z.object({ group: z.string() }),
  jobs: z.record(z.string(), jobSchema),
});

const folder = join(projectRoot, ".github", "workflows");
const workflows = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), "utf8");
  return { file, text, ...workflowSchema.parse(parse(text)) };
});
const jobs = workflows.flatMap(({ file, jobs }) =>
  Object.entries(jobs).map(([name, job]) => ({ ...job, name: `${file}: ${name}` })),
);

describe("the workflows", () => {
  it("are the five", () => {
    expect(workflows.map(({ file }) => file).sort()).toEqual([
      "audit.yml",
      "ci.yml",
      "drift.yml",
      "heal.yml",
      "preview.yml",
    ]);
  });

  it("pin each action by a full commit digest, its version beside it", () => {
    const uses = workflows.flatMap(({ text }) => text.split("\n").filter((line) => /\buses:/.test(line)));
    expect(uses.length).toBe(jobs.flatMap(({ steps }) => steps.filter((step) => step.uses !== undefined)).length);
    for (const line of uses) expect(line).toMatch(/^\s+- uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("give one digest to one action", () => {
    const pins = jobs.flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
    const actions = new Set(pins.map((pin) => pin.split("@")[0]));
    expect(new Set(pins).size).toBe(actions.size);
  });

  it("never run with secrets for a fork's pull request", () => {
    for (const { text, on } of workflows) {
      expect(text).not.toMatch(/pull_request_target|workflow_run/);
      expect(JSON.stringify(on)).not.toContain("issue_comment");
    }
  });

  it("leave no token in a checkout", () => {
    const checkouts = jobs.flatMap(({ steps }) => steps).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.length).toBeGreaterThan(0);
    for (const step of checkouts) expect(step.with).toMatchObject({ "persist-credentials": false });
  });

  it("let no expression into a script: values, and secrets above all, come in the environment", () => {
    for (const { steps } of jobs) for (const { run } of steps) expect(run ?? "").not.toContain("${{");
  });

  it("keep secrets behind an environment, and what may write away from the code of a pull request", () => {
    const secret = jobs.filter((job) => JSON.stringify(job).includes("secrets."));
    expect(secret.map(({ name, environment }) => [name, environment])).toEqual([
      ["drift.yml: drift", "drift"],
      ["heal.yml: heal", "heal"],
      ["preview.yml: stack", "preview"],
    ]);
    const writing = jobs.filter(({ permissions }) => Object.values(permissions).includes("write"));
    expect(writing.map(({ name }) => name)).toEqual(["preview.yml: stale-label", "preview.yml: comment"]);
    for (const { steps } of writing)
      expect(steps.some(({ uses, run }) => /checkout/.test(uses ?? "") || /\bnpm\b/.test(run ?? ""))).toBe(false);
  });
});

describe("the preview of a pull request", () => {
  const judging = jobs.filter(({ steps }) => steps.some(({ run }) => run?.includes("npm run preview:") === true));
  const ofPullRequests = judging.filter(({ name }) => name.startsWith("preview.yml"));

  it("is made and judged by the scripts of its base", () => {
    expect(ofPullRequests.map(({ name }) => name)).toEqual(["preview.yml: offline", "preview.yml: stack"]);
    for (const { steps } of ofPullRequests) {
      const places = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
      expect(places.map((step) => [step.with["path"], step.with["ref"]])).toEqual([
        [undefined, "${{ github.event.pull_request.base.sha }}"],
        ["change", undefined],
      ]);
      const scripts = steps.filter(({ run }) => run?.includes("preview:") === true);
      for (const step of scripts) {
        expect(step.run).toContain("-- --change change");
        expect(step["working-directory"]).toBeUndefined();
      }
    }
  });

  it("counts a label only in the run that this label started", () => {
    const labels = ofPullRequests.flatMap(({ steps }) => steps.flatMap(({ env }) => env?.["PREVIEW_LABELS"] ?? []));
    const wanted =
      "${{ github.event.action == 'labeled' && format('[{0}]', toJSON(github.event.label.name)) || '[]' }}";
    expect(labels).toEqual([wanted, wanted]);
  });
});

describe("the workflow that makes a machine again", () => {
  const job = workflows.find(({ file }) => file === "heal.yml")?.jobs["heal"];
  const script = job?.steps.find(({ run }) => run?.includes("heal") === true)?.run ?? "exit 99";

  it("changes the account only where the owner said so, from main alone, and is never cut off", () => {
    expect(job?.["if"]).toBe("vars.PULUMI_STACK != '' && vars.PULUMI_HEAL == 'true'");
    expect(job?.steps.find(({ uses }) => uses?.startsWith("actions/checkout@"))?.with["ref"]).toBe("main");
    const { on, concurrency } = workflows.find(({ file }) => file === "heal.yml") ?? {};
    expect(concurrency).toMatchObject({ group: "heal" });
    expect(Object.keys(z.looseObject({}).parse(on))).toEqual(["schedule", "workflow_dispatch"]);
    expect(job?.["timeout-minutes"]).toBeGreaterThanOrEqual(120);
  });

  it.each([
    [0, 0],
    [75, 0],
    [1, 1],
  ])("ends for heal's exit code %d with %d", (code, expected) => {
    const place = mkdtempSync(join(tmpdir(), "heal-"));
    try {
      writeFileSync(join(place, "npm"), `#!/bin/sh\necho "$*" >calls\nexit ${code}\n`);
      chmodSync(join(place, "npm"), 0o755);
      const env = { PATH: `${place}:/usr/bin:/bin`, STACK: "home" };
      const { status } = spawnSync("bash", ["--norc", "-e", "-c", script], { cwd: place, env });
      expect(status).toBe(expected);
      expect(readFileSync(join(place, "calls"), "utf8")).toBe("run ops -- heal --stack home\n");
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});

describe("the comment", () => {
  const script = workflows
    .flatMap(({ jobs }) => jobs["comment"]?.steps ?? [])
    .find(({ run }) => run !== undefined)?.run;
  // A stand-in of GitHub's CLI: it answers the list with $KNOWN and notes the rest, with the body that it would send.
  const gh = `#!/bin/sh
case "$*" in
  *--paginate*--jq*) printf '%s' "$KNOWN" ;;
  *) echo "$4 $5" >>calls; cat "\${7#body=@}" >>calls ;;
esac
`;

  function comment(known: string, summary?: string): string {
    const place = mkdtempSync(join(tmpdir(), "comment-"));
    try {
      writeFileSync(join(place, "gh"), gh);
      chmodSync(join(place, "gh"), 0o755);
      if (summary !== undefined) writeFileSync(join(place, "preview.md"), summary);
      const env = { PATH: `${place}:/usr/bin:/bin`, GITHUB_REPOSITORY: "me/home", NUMBER: "7", KNOWN: known };
      // As GitHub runs a script.
      const { status, stderr } = spawnSync("bash", ["--norc", "-e", "-c", script ?? "exit 1"], {
        cwd: place,
        env,
        encoding: "utf8",
      });
      expect([status, stderr]).toEqual([0, ""]);
      return readFileSync(join(place, "calls"), "utf8");
    } finally {
      rmSync(place, { recursive: true });
    }
  }

  it("is written once and then renewed", () => {
    expect(comment("", "text\n")).toBe("POST repos/me/home/issues/7/comments\n<!-- cloudcode preview -->\ntext\n");
    expect(comment("42\n43\n", "new\n")).toBe(
      "PATCH repos/me/home/issues/comments/42\n<!-- cloudcode preview -->\nnew\n",
    );
  });

  it("says so when there is no preview", () => {
    expect(comment("")).toContain("The preview failed before there was anything to show");
  });
});

describe("the libraries of images that are built on the host", () => {
  const templates = join(projectRoot, "stack-templates");
  const files = readdirSync(templates, { recursive: true, encoding: "utf8" });
  const read = (file: string) => readFileSync(join(templates, file), "utf8");
  const lists = files.filter((file) => /requirements\.txt$/.test(file));
  const audit = workflows.find(({ file }) => file === "audit.yml");

  it("are installed by hash, or not from a registry at all", () => {
    const dockerfiles = files.filter((file) => file.endsWith("Dockerfile.hbs"));
    // One command a line: continuation lines are joined, chained commands parted.
    const commands = dockerfiles.flatMap((file) => read(file).replaceAll("\\\n", " ").split(/\n|&&/));
    const pip = commands.filter((command) => /\bpip3? install\b/.test(command));
    expect(pip.length).toBeGreaterThan(3);
    for (const command of pip) expect(command).toMatch(/ --require-hashes .*--no-deps | --no-deps .*--no-index /);
    for (const command of commands.filter((one) => /\bnpm (i|install)\b/.test(one)))
      expect(command).toMatch(/ \{\{text package\}\}/);
  });

  it.each(lists)("%s: each has its hashes and an exact version", (file) => {
    const entries = read(file)
      .replaceAll("\\\n", " ")
      .split("\n")
      .filter((line) => /^\w/.test(line));
    expect(entries.length).toBeGreaterThan(1);
    for (const entry of entries) expect(entry).toMatch(/^[\w.[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}/);
  });

  it("are all checked against advisories", () => {
    expect(lists.length).toBe(4);
    for (const file of lists) expect(audit?.text).toContain(`audit stack-templates/${file}\n`);
    expect(files.filter((file) => file.endsWith("package-lock.json"))).toEqual([]);
    expect(audit?.text).toContain("npm audit --omit=dev --workspaces=false --prefix packages/donation-site\n");
  });

  it("with no exception that the page on security does not explain", () => {
    const page = readFileSync(join(projectRoot, "docs", "security.md"), "utf8");
    for (const [, id = ""] of audit?.text.matchAll(/--ignore-vuln[ =](\S+)/g) ?? [])
      expect(page).toContain(`| ${id} |`);
  });
});

describe("images", () => {
  it("are pinned by digest, but for those whose digest no public source names", () => {
    const without = Object.entries(defaultImages).filter(([, image]) => !/@sha256:[0-9a-f]{64}$/.test(image));
    expect(without.map(([name]) => name)).toEqual(["liteboxdGateway", "liteboxdServer", "liteboxdWeb"]);
  });
});

describe("Renovate", () => {
  const manager = z.object({ managerFilePatterns: z.array(z.string()), matchStrings: z.array(z.string()) });
  const { customManagers } = z
    .looseObject({ customManagers: z.array(manager) })
    .parse(JSON.parse(readFileSync(join(projectRoot, "renovate.json"), "utf8")));

  /** What the expressions for this file find, by their named groups. */
  function found(file: string): Record<string, string | undefined>[] {
    const text = readFileSync(join(projectRoot, file), "utf8");
    return customManagers
      .filter(({ managerFilePatterns }) => managerFilePatterns.some((one) => new RegExp(one.slice(1, -1)).test(file)))
      .flatMap(({ matchStrings }) => matchStrings.flatMap((one) => [...text.matchAll(new RegExp(one, "g"))]))
      .map(({ groups }) => ({ ...groups }));
  }

  it("finds every image with its digest, and every source", () => {
    const hits = found("components/images.ts");
    const images = hits.filter(({ packageName }) => packageName === undefined);
    const reference = ({ depName, currentValue, currentDigest }: Record<string, string | undefined>) =>
      `${depName ?? ""}:${currentValue ?? ""}${currentDigest === undefined ? "" : `@${currentDigest}`}`;
    expect(images.map(reference)).toEqual(Object.values(defaultImages));
    const sources = hits.filter(({ packageName }) => packageName !== undefined);
    expect(sources.map(({ packageName, currentDigest }) => `${packageName ?? ""}#${currentDigest ?? ""}`)).toEqual(
      Object.values(defaultSources),
    );
  });

  it.each([
    ["test/lint-workflows.ts", ["github.com/rhysd/actionlint", "zizmor"]],
    ["cli/official-pulumi.ts", ["pulumi/pulumi"]],
    ["components/apps/opencode.ts", ["opencode-ai"]],
    ["sandbox/acme/pebble.ts", ["github.com/letsencrypt/pebble/v2"]],
    ["test/support/tools.ts", ["github.com/docker/compose/v2"]],
    ["test/support/caddy-with-dns.ts", ["github.com/caddyserver/xcaddy"]],
    [".github/workflows/audit.yml", ["pip-audit", "github.com/caddyserver/xcaddy"]],
  ])("finds the versions of tools in %s", (file, names) => {
    const hits = found(file);
    expect(hits.map(({ depName }) => depName)).toEqual(names);
    for (const { currentValue } of hits) expect(currentValue).toMatch(/^v?\d+\.\d+\.\d+$/);
  });
});
