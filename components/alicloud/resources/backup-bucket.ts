import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { BackupStore } from "../../host/host";
import { hostNameOf } from "./machine";
import { ownership, stackName } from "./tags";

export interface BackupBucketArgs {
  /** Region of the bucket. */
  readonly region: string;
  /** Resource group of what is made; undefined: the account's own. */
  readonly resourceGroupId: string | undefined;
  /** Whether the backups may be deleted. */
  readonly deleteData: boolean;
  /** Options of each resource: error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** How long what was deleted or overwritten can be had back, in days. */
const noncurrentDays = 30;

/**
 * The private bucket on OSS that the host backs up to, and the only key that the host has: good for the objects of this
 * bucket, but not for the versions that OSS keeps of them, so that an intruder on the host cannot destroy what is backed up.
 * Protected like the data disk unless the operator gave the data up.
 */
export class BackupBucket extends pulumi.ComponentResource {
  readonly store: BackupStore;

  constructor(name: string, args: BackupBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:BackupBucket", name, {}, opts);
    const resourceOptions = { ...args.resourceOptions, parent: this };
    const { deleteData, resourceGroupId } = args;
    // All accounts share the names of buckets.
    const suffix = new random.RandomString(
      `${name}-suffix`,
      { length: 10, upper: false, special: false },
      { parent: this, dependsOn: args.resourceOptions.dependsOn ?? [] },
    );
    const bucket = new alicloud.oss.Bucket(
      `${name}-bucket`,
      {
        // Private, as none that is not said to be anything else.
        bucket: suffix.result.apply((word) => bucketName(stackName(), word)),
        versioning: { status: "Enabled" },
        serverSideEncryptionRule: { sseAlgorithm: "AES256" },
        lifecycleRules: [
          {
            id: "versions",
            prefix: "",
            enabled: true,
            noncurrentVersionExpirations: [{ days: noncurrentDays }],
            expirations: [{ expiredObjectDeleteMarker: true }],
            abortMultipartUploads: [{ days: 7 }],
          },
        ],
        forceDestroy: deleteData,
        ...ownership(resourceGroupId),
      },
      { ...resourceOptions, protect: !deleteData },
    );

    const user = new alicloud.ram.User(
      `${name}-user`,
      { name: bucket.bucket, comments: `Backups of the stack ${stackName()}` },
      resourceOptions,
    );
    const policy = new alicloud.ram.Policy(
      `${name}-policy`,
      { policyName: bucket.bucket, policyDocument: bucket.bucket.apply((one) => JSON.stringify(storePolicy(one))) },
      resourceOptions,
    );
    new alicloud.ram.UserPolicyAttachment(
      `${name}-policy-attachment`,
      { userName: user.name, policyName: policy.policyName, policyType: policy.type },
      resourceOptions,
    );
    const key = new alicloud.ram.AccessKey(`${name}-key`, { userName: user.name }, resourceOptions);

    this.store = {
      // Inside the region traffic costs nothing.
      repository: pulumi.interpolate`s3:https://${bucket.intranetEndpoint}/${bucket.bucket}/restic`,
      // As restic signs for OSS: https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html#alibaba-cloud-aliyun-object-storage-system-oss
      region: `oss-${args.region}`,
      accessKeyId: key.id,
      secretAccessKey: key.secret,
    };
    this.registerOutputs({ bucket: bucket.bucket });
  }
}

/** 3 to 63 lower-case letters, digits and hyphens: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions */
export function bucketName(stack: string, suffix: string): string {
  return `${hostNameOf(stack).toLowerCase().slice(0, 40)}-backups-${suffix}`;
}

/**
 * What restic does in its bucket and nothing else, as a RAM policy: it lists, reads, writes and deletes objects. Whether the
 * bucket exists it takes as said when it may not look.
 * https://www.alibabacloud.com/help/en/oss/user-guide/authorization-syntax-and-elements
 */
export function storePolicy(bucket: string) {
  const allow = (action: readonly string[], resource: string) => ({
    Effect: "Allow",
    Action: action,
    Resource: [`acs:oss:*:*:${resource}`],
  });
  return {
    Version: "1",
    Statement: [
      allow(["oss:ListObjects"], bucket),
      allow(["oss:AbortMultipartUpload", "oss:DeleteObject", "oss:GetObject", "oss:PutObject"], `${bucket}/*`),
    ],
  };
}
