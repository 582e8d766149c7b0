import { readFileSync } from "node:fs";
import { join } from "node:path";
import { planText } from "../../components/stack/plan";
import { faultsOf, settingsOf } from "../support/settings";
import { hostKey, minimalAlicloud, privateKey } from "../support/minimal";
import { runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { arrivedFiles } from "../support/releases";

const s3 = {
  backupRepository: "s3:https://oss-ap-southeast-1.aliyuncs.com/my-bucket/home",
  backupAccessKeyId: "LTAI5t0a1b2c3d4e5f6g7h8",
  backupSecretAccessKey: "s3-secret-1234",
};
const sftp = {
  backupRepository: "sftp://me@backup.example.com:2222//srv/backups",
  backupPrivateKey: privateKey,
  backupHostKey: hostKey,
};

describe("where backups go", () => {
  it.each([
    ["an S3 store", s3],
    ["an old bucket", { ...s3, backupRepository: "s3:https://s3.example.com/My_Bucket.2" }],
    ["an SFTP server", sftp],
    ["a folder", { backupRepository: "/mnt/backup/home" }],
    ["nowhere", {}],
  ])("%s is accepted", (_what, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });

  it.each([
    [{ backupRepository: "/srv" }, "backupRepository is not oss, s3:https://HOST/BUCKET/PATH"],
    [{ backupRepository: "sftp:me@host:path" }, "backupRepository is not oss, s3:https://HOST/BUCKET/PATH"],
    [{ backupRepository: "https://example.com" }, "backupRepository is not oss, s3:https://HOST/BUCKET/PATH"],
    ...["ab", "_abc", "abc_", "a..b", "a.-b", "a-.b", "1.2.3.4", "a".repeat(64)].map(
      (bucket): [Record<string, string>, string] => [
        { backupRepository: `s3:https://s3.example.com/${bucket}/home` },
        "backupRepository is not oss, s3:https://HOST/BUCKET/PATH",
      ],
    ),
    [{ ...s3, backupSecretAccessKey: "" }, "backupSecretAccessKey is missing: backupRepository is an S3 store"],
    [{ ...sftp, backupHostKey: "" }, "backupHostKey is missing: backupRepository is an SFTP store"],
    [{ backupRepository: "oss" }, "backupRepository is oss, a bucket that only the target alicloud creates"],
    [{ backupHostKey: hostKey }, "backupHostKey has no effect: backupRepository is not an SFTP store"],
    [{ ...sftp, backupAccessKeyId: "x" }, "backupAccessKeyId has no effect: backupRepository is not an S3 store"],
    [{ backupSchedule: "daily; rm -rf /" }, "backupSchedule is not a calendar event of systemd"],
    [{ drillSchedule: "::1" }, "drillSchedule is not never, and is not a calendar event of systemd that recurs"],
    [
      { backupKeepDaily: "0", backupKeepWeekly: "0", backupKeepMonthly: "0" },
      "backupKeepDaily is 0 like backupKeepWeekly and backupKeepMonthly: no backup would be kept",
    ],
  ])("%j is refused", (settings, fault) => {
    expect(faultsOf(settings)).toEqual([expect.stringContaining(fault) as string]);
  });

  it.each([
    ["never", undefined],
    ["Sun *-*-01..07 05:00:00", "Sun *-*-01..07 05:00:00"],
  ])("is drilled as drillSchedule says: %s", async (value, drillSchedule) => {
    expect(settingsOf({ ...s3, drillSchedule: value }).backup).toMatchObject({ drillSchedule });
    const files = await arrivedFiles(await runProgram({ ...s3, drillSchedule: value }), "docker-install");
    const wanted = `drill_schedule='${drillSchedule ?? ""}'\n`;
    expect(files.get("backup-settings.sh")?.content).toContain(wanted);
  });

  it("is a bucket of the stack on Alibaba Cloud, which brings its own key", () => {
    const oss = { backupRepository: "oss" };
    expect(faultsOf(oss, minimalAlicloud)).toEqual([]);
    expect(faultsOf({ ...oss, backupAccessKeyId: "x" }, minimalAlicloud)).toEqual([
      "backupAccessKeyId has no effect: backupRepository is not an S3 store",
    ]);
  });

  it("is undefined by default", () => {
    expect(settingsOf().backup).toBeUndefined();
    expect(settingsOf(s3).backup).toMatchObject({
      schedule: "*-*-* 03:30:00",
      drillSchedule: "*-*-01 05:00:00",
      keep: { daily: 7, weekly: 5, monthly: 6 },
    });
  });
});

describe("a stack with backups", () => {
  it("has a generated password, kept and protected, unless the operator has one", async () => {
    const run = await runProgram(s3);
    expect(run.resource("backup-password").options.protect).toBe(true);
    expect(run.outputs["backupPassword"]).toMatchObject({ secret: true });
    const own = await runProgram({ ...s3, backupPassword: "a long passphrase of mine" });
    expect(own.outputs["backupPassword"]).toEqual({ value: "a long passphrase of mine", secret: true });
    // Kept for earlier backups, and in nobody's way.
    const off = await runProgram();
    for (const other of [own, off]) expect(other.resource("backup-password").options.protect).toBe(false);
    expect(off.outputs).not.toHaveProperty("backupPassword");
  });

  it("sends repository, keys and password to the host's files and to no plain input", async () => {
    const run = await runProgram(s3);
    const files = await arrivedFiles(run, "docker-install");
    expect(files.get("backup-env")?.content).toBe(
      "AWS_ACCESS_KEY_ID=LTAI5t0a1b2c3d4e5f6g7h8\nAWS_SECRET_ACCESS_KEY=s3-secret-1234\nAWS_DEFAULT_REGION=oss-ap-southeast-1\n",
    );
    expect(files.get("backup-settings.sh")?.content).toContain(`repository=${s3.backupRepository}\n`);
    expect(files.get("backup-settings.sh")?.content).toContain("host=test\n");
    expect(files.get("backup-password")?.content).toBe(run.outputs["backupPassword"]?.value);
    for (const { inputs, secretInputs } of run.resources) {
      const plain = JSON.stringify(Object.entries(inputs).filter(([key]) => !secretInputs.includes(key)));
      expect(plain).not.toContain("s3-secret-1234");
    }
  });

  it.each([
    ["https://oss-eu-central-1-internal.aliyuncs.com/bkt/c", "AWS_DEFAULT_REGION=oss-eu-central-1\n"],
    ["https://s3.example.com/bkt/c", ""],
  ])("knows the region of %s, if it is one of OSS", async (place, line) => {
    const files = await arrivedFiles(await runProgram({ ...s3, backupRepository: `s3:${place}` }), "docker-install");
    expect(files.get("backup-env")?.content.split("\n").slice(2).join("\n")).toBe(line);
  });

  it("pins the SFTP server's key", async () => {
    const files = await arrivedFiles(await runProgram(sftp), "docker-install");
    expect(files.get("backup-known-hosts")?.content).toBe(`backup ${hostKey}\n`);
    expect(files.get("backup-ssh-key")?.content.trim()).toBe(privateKey.trim());
  });
});

describe("a database that is dumped", () => {
  it("is three lines of the plan, which the host reads", () => {
    const dumps = [
      {
        service: "database",
        volume: "data",
        dump: "pg_dumpall --clean",
        load: "psql postgres",
        flush: "psql -c CHECKPOINT",
      },
    ];
    expect(planText({ networks: [], dumps })).toBe(
      "dump database data pg_dumpall --clean\nload database data psql postgres\nflush database psql -c CHECKPOINT\ntimeout 180\n",
    );
    const script = readFileSync(join(projectRoot, "stack-templates", "host", "cloudcode-backup"), "utf8");
    for (const word of ["dump", "load"])
      expect(script).toContain(`plan "$1" ${word} | while read -r service volume command`);
  });
});
