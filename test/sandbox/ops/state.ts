import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { storePolicy } from "../../../components/alicloud/resources/backup-bucket";
import { cacheDir } from "../../../cli/cache";
import { projectRoot } from "../../../sandbox/folder";
import { type Say, run } from "../../../cli/run";
import { type World, failureOf } from "../world";
import { lockTold, ops, outputOf } from "./run";
import { type S3Server, startS3, stopS3 } from "./s3";

/** The state in a bucket with versions and a lock, and backups in one. */
export function state(world: World, name: string, say: Say): void {
  let s3: S3Server;
  let folder = "";
  const env = () => ({
    ...world.sandbox.env,
    ...s3.env,
    PULUMI_BACKEND_URL: `s3://state?endpoint=${s3.url}&s3ForcePathStyle=true`,
  });
  const pulumi = (...args: readonly string[]) =>
    run(world.sandbox.engine.pulumi, [...args, "--non-interactive", "--cwd", folder], { env: env() });

  beforeAll(async () => {
    s3 = await startS3(name, world.sandbox.host.gateway, cacheDir, say);
    folder = mkdtempSync(join(world.sandbox.folder, "state-"));
    cpSync(join(projectRoot, "test", "bench", "empty"), folder, { recursive: true });
    for (const bucket of ["state", "backups"]) await s3.createBucket(bucket);
  });
  afterAll(async () => {
    await stopS3(name);
    rmSync(folder, { recursive: true, force: true });
  });

  test("a bucket keeps the state, every version of it, and doctor knows it", async () => {
    await pulumi("stack", "init", "bucket");
    await pulumi("config", "set", "target", "existing", "--stack", "bucket");
    await pulumi("config", "set", "--secret", "word", "hidden", "--stack", "bucket");
    for (let i = 0; i < 2; i++) await pulumi("up", "--yes", "--skip-preview", "--stack", "bucket");
    expect((await pulumi("stack", "ls")).stdout).toContain("bucket");
    const versions = await s3.get("/state?versions=");
    expect(versions.match(/<Key>[^<]*stacks\/[^<]*bucket\.json<\/Key>/g)?.length).toBeGreaterThan(1);
    const doctor = await run(process.execPath, ["--import", "tsx", "ops/main.ts", "--cwd", folder, "doctor"], {
      cwd: projectRoot,
      env: env(),
    });
    expect(doctor.stdout).toMatch(/ok +backend +s3:\/\/state/);
    expect(doctor.stdout).toMatch(/ok +secrets +passphrase/);
  });

  test("a lock that another run holds is reported, with what frees it", async () => {
    const lock = JSON.stringify({
      pid: 1,
      username: "someone",
      hostname: "elsewhere",
      timestamp: "2026-11-25T15:00:00Z",
    });
    await run("curl", [
      "--silent",
      "--fail-with-body",
      "--aws-sigv4",
      "aws:amz:us-east-1:s3",
      "--user",
      `${s3.env.AWS_ACCESS_KEY_ID}:${s3.env.AWS_SECRET_ACCESS_KEY}`,
      "--header",
      "x-amz-content-sha256: UNSIGNED-PAYLOAD",
      "--request",
      "PUT",
      "--data-binary",
      lock,
      `${s3.url}/state/.pulumi/locks/organization/empty/bucket/another.json`,
    ]);
    const words = await failureOf(pulumi("up", "--yes", "--skip-preview", "--stack", "bucket"));
    expect(words).toContain("someone@elsewhere");
    await pulumi("cancel", "--yes", "--stack", "bucket");
    await pulumi("up", "--yes", "--skip-preview", "--stack", "bucket");
  });

  test("of twenty runs at the very same moment at most one goes on, and the next one does", async () => {
    const up = () => pulumi("up", "--yes", "--skip-preview", "--stack", "bucket");
    const runs = await Promise.allSettled(Array.from({ length: 20 }, up));
    const lost = runs.flatMap((one) => (one.status === "rejected" ? [outputOf(one.reason)] : []));
    expect(lost.length).toBeGreaterThanOrEqual(19);
    for (const { stdout, stderr } of lost) expect(stdout + stderr).toMatch(lockTold);
    await up();
  });

  test("wrong keys of the bucket, or a wrong passphrase, are reported in a sentence", async () => {
    const doctor = (more: Readonly<Record<string, string>>) =>
      failureOf(
        run(process.execPath, ["--import", "tsx", "ops/main.ts", "--cwd", folder, "doctor"], {
          cwd: projectRoot,
          env: { ...env(), ...more },
        }),
      );
    expect(await doctor({ AWS_SECRET_ACCESS_KEY: "wrong" })).toMatch(
      /RED +backend +the bucket of the state refuses the keys of this shell/,
    );
    expect(await doctor({ PULUMI_CONFIG_PASSPHRASE: "wrong" })).toMatch(/RED +secrets .*passphrase/);
  });

  test("backups go to an S3 store as well", async () => {
    world.sandbox.configure({
      backupRepository: `s3:${s3.url}/backups/home`,
      backupAccessKeyId: s3.env.AWS_ACCESS_KEY_ID,
      backupHostKey: undefined,
      backupPrivateKey: undefined,
    });
    await world.sandbox.pulumi(["config", "set", "--secret", "backupSecretAccessKey"], {
      input: s3.env.AWS_SECRET_ACCESS_KEY,
    });
    await world.up();
    await ops(world, ["backup", "auth"]);
    expect((await ops(world, ["snapshots"])).stdout.trim()).toMatch(/ auth$/);
  });

  test("backups need no more rights than the program gives its key for OSS, which destroys no version", async () => {
    const [access, secret] = ["AKIALIMITED", "limited-secret-key"];
    const statements = storePolicy("limited").Statement.map(({ Effect, Action, Resource }) => ({
      Effect,
      Action: Action.map((action) => (action === "oss:ListObjects" ? "s3:ListBucket" : action.replace("oss:", "s3:"))),
      Resource: Resource.map((one) => one.replace("acs:oss:*:*:", "arn:aws:s3:::")),
    }));
    await s3.createBucket("limited");
    await s3.createKey(access, secret, "limited", statements);
    world.sandbox.configure({ backupRepository: `s3:${s3.url}/limited/restic`, backupAccessKeyId: access });
    await world.sandbox.pulumi(["config", "set", "--secret", "backupSecretAccessKey"], { input: secret });
    await world.up();
    // The second one removes what the first one left over.
    for (let times = 0; times < 2; times++) await ops(world, ["backup", "auth"]);
    expect((await ops(world, ["snapshots"])).stdout.trim()).toMatch(/ auth$/);
    const [, key = "", version = ""] =
      /<Key>([^<]*snapshots[^<]*)<\/Key>.*?<VersionId>([^<]+)</s.exec(await s3.get("/limited?versions=")) ?? [];
    expect(await s3.remove(`/limited/${key}?versionId=${version}`, access, secret)).toBe("403");
    expect(await s3.remove("/limited", access, secret)).toBe("403");
  });
}
