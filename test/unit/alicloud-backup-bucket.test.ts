import { bucketName, storePolicy } from "../../components/alicloud/resources/backup-bucket";
import { textOf } from "../support/plain";
import { minimalAlicloud } from "../support/minimal";
import { type ProgramRun, runAlicloud } from "../support/program";
import { optionsOf } from "../support/recorded-options";
import { arrivedFiles } from "../support/releases";
import { settingsOf } from "../support/settings";

const oss = { backupRepository: "oss" };

let run: ProgramRun;
beforeAll(async () => {
  run = await runAlicloud(oss);
});

describe("backupRepository oss", () => {
  it("makes a bucket that keeps what is deleted for 30 days, protected like the data disk", () => {
    const { inputs } = run.resource("host-backups-bucket");
    expect(inputs).toEqual({
      bucket: expect.stringMatching(/^cloudcode-test-backups-[a-z0-9]{10}$/) as string,
      versioning: { status: "Enabled" },
      serverSideEncryptionRule: { sseAlgorithm: "AES256" },
      lifecycleRules: [
        {
          id: "versions",
          prefix: "",
          enabled: true,
          noncurrentVersionExpirations: [{ days: 30 }],
          expirations: [{ expiredObjectDeleteMarker: true }],
          abortMultipartUploads: [{ days: 7 }],
        },
      ],
      forceDestroy: false,
      tags: { project: "cloudcode", stack: "test" },
    });
    expect(optionsOf(run, "host-backups-bucket")).toMatchObject({ protect: true, provider: "alicloud" });
  });

  it("lets it be deleted with all that is in it once the operator gave the data up", async () => {
    const given = await runAlicloud({ ...oss, deleteData: "true" });
    expect(given.resource("host-backups-bucket").inputs["forceDestroy"]).toBe(true);
    expect(given.resource("host-backups-bucket").options.protect).not.toBe(true);
  });

  it("gives the host a key for that bucket, whose secret is in no plain input", async () => {
    const bucket = textOf(run.resource("host-backups-bucket").inputs["bucket"] ?? "");
    const files = await arrivedFiles(run, "docker-install");
    expect(files.get("backup-env")?.content).toBe(
      "AWS_ACCESS_KEY_ID=host-backups-key-id\nAWS_SECRET_ACCESS_KEY=made-key-secret\nAWS_DEFAULT_REGION=oss-ap-southeast-1\n",
    );
    expect(files.get("backup-settings.sh")?.content).toContain(
      `repository=s3:https://oss-internal.example.com/${bucket}/restic\n`,
    );
    for (const { inputs, secretInputs } of run.resources) {
      const plain = JSON.stringify(Object.entries(inputs).filter(([key]) => !secretInputs.includes(key)));
      expect(plain).not.toContain("made-key-secret");
    }
  });

  it("limits that key to the bucket: no version is destroyed, nothing is set", () => {
    const { inputs } = run.resource("host-backups-policy");
    const bucket = textOf(run.resource("host-backups-bucket").inputs["bucket"] ?? "");
    expect(JSON.parse(textOf(inputs["policyDocument"] ?? ""))).toEqual(storePolicy(bucket));
    expect(storePolicy("b").Statement).toEqual([
      { Effect: "Allow", Action: ["oss:ListObjects"], Resource: ["acs:oss:*:*:b"] },
      {
        Effect: "Allow",
        Action: ["oss:AbortMultipartUpload", "oss:DeleteObject", "oss:GetObject", "oss:PutObject"],
        Resource: ["acs:oss:*:*:b/*"],
      },
    ]);
  });

  it("makes none of that with another repository", async () => {
    const other = await runAlicloud({ backupRepository: "/mnt/backups/home" });
    expect(other.resources.filter(({ name }) => name.startsWith("host-backups"))).toEqual([]);
  });

  it("shows the same resources in a preview, where no value of the cloud is known yet", async () => {
    const preview = await runAlicloud(oss, { preview: true });
    expect(preview.resources.map(({ urn }) => urn).sort()).toEqual(run.resources.map(({ urn }) => urn).sort());
  });

  it("tells what it costs to store", () => {
    expect(JSON.stringify(run.outputs["monthlyCost"])).toContain("backups in OSS at 0.01715 USD per GiB and month");
    expect(settingsOf(oss, minimalAlicloud).target).toMatchObject({ backupBucket: true });
  });
});

it.each([
  ["cloudcode-home", "cloudcode-home-backups-abc"],
  ["My_Project.x-Prod", "my-project-x-prod-backups-abc"],
  ["long".repeat(20), `${"long".repeat(10)}-backups-abc`],
])("the bucket of %s is a name OSS takes", (stack, name) => {
  expect(bucketName(stack, "abc")).toBe(name);
  expect(bucketName(stack, "a".repeat(10))).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
});
