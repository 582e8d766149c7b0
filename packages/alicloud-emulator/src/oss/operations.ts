import { randomBytes } from "node:crypto";
import { accountId } from "../account-id";
import type { Cloud } from "../cloud";
import { defaultResourceGroup } from "../cloud";
import { ApiError } from "../errors";
import type { Bucket } from "../model";
import type { XmlReply } from "../server";
import type { SignedRequest } from "../signature";
import { element, textsOf } from "./xml";

interface StorageCall {
  readonly request: SignedRequest;
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  readonly cloud: Cloud;
}

/** A call of object storage: its name in RAM policies, and what it does. */
interface Operation {
  readonly action: string;
  readonly perform: (call: StorageCall) => XmlReply;
}

const ok = (body = ""): XmlReply => ({ status: 200, body });
const gone: XmlReply = { status: 204, body: "" };
const bodyOf = ({ request }: StorageCall): string => Buffer.from(request.body).toString();
const owner = element("Owner", { ID: accountId, DisplayName: accountId });

function bucketOf({ cloud, bucket }: StorageCall): Bucket {
  const found = cloud.state.buckets.get(bucket);
  if (found === undefined) throw new ApiError(404, "NoSuchBucket", "The specified bucket does not exist.");
  return found;
}

function put(call: StorageCall): XmlReply {
  const { cloud, bucket, region, request } = call;
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket))
    throw new ApiError(400, "InvalidBucketName", "The specified bucket is not valid.");
  if (cloud.state.buckets.has(bucket)) throw new ApiError(409, "BucketAlreadyExists", "The bucket is there already.");
  const [storageClass = "Standard"] = textsOf(bodyOf(call), "StorageClass");
  const [redundancy = "LRS"] = textsOf(bodyOf(call), "DataRedundancyType");
  cloud.state.buckets.set(bucket, {
    ...cloud.base("bucket", region, {}, request.headers["x-oss-resource-group-id"] ?? ""),
    id: bucket,
    storageClass,
    redundancy,
    versioning: "",
    settings: {},
    versions: [],
    encryption: request.headers["x-oss-server-side-encryption"] ?? "",
  });
  return ok();
}

function remove(call: StorageCall): XmlReply {
  if (bucketOf(call).versions.length > 0)
    throw new ApiError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.");
  call.cloud.state.buckets.delete(call.bucket);
  return gone;
}

function list({ cloud, request }: StorageCall): XmlReply {
  const prefix = request.query.get("prefix") ?? "";
  const found = [...cloud.state.buckets.values()].filter(({ id }) => id.startsWith(prefix));
  const shown = found.map(({ id, regionId, createdAt, storageClass }) =>
    element("Bucket", { Name: id, Location: `oss-${regionId}`, CreationDate: createdAt, StorageClass: storageClass }),
  );
  return ok(
    element("ListAllMyBucketsResult", { IsTruncated: "false" }, `${owner}<Buckets>${shown.join("")}</Buckets>`),
  );
}

function info(call: StorageCall): XmlReply {
  const { id, regionId, createdAt, redundancy, storageClass, encryption, versioning } = bucketOf(call);
  const fields = {
    Name: id,
    Location: `oss-${regionId}`,
    CreationDate: createdAt,
    DataRedundancyType: redundancy,
    ExtranetEndpoint: `oss-${regionId}.aliyuncs.com`,
    IntranetEndpoint: `oss-${regionId}-internal.aliyuncs.com`,
    StorageClass: storageClass,
    ...(versioning && { Versioning: versioning }),
    AccessMonitor: "Disabled",
  };
  const grant = element("AccessControlList", { Grant: "private" });
  const rule = element("ServerSideEncryptionRule", { SSEAlgorithm: encryption || "None" });
  return ok(`<BucketInfo>${element("Bucket", fields, `${owner}${grant}${rule}`)}</BucketInfo>`);
}

function putVersioning(call: StorageCall): XmlReply {
  const [status = ""] = textsOf(bodyOf(call), "Status");
  if (!["Enabled", "Suspended"].includes(status)) throw new ApiError(400, "MalformedXML", "Status is not valid.");
  bucketOf(call).versioning = status;
  return ok();
}

function putTagging(call: StorageCall): XmlReply {
  const values = textsOf(bodyOf(call), "Value");
  bucketOf(call).tags = Object.fromEntries(
    textsOf(bodyOf(call), "Key").map((key, index) => [key, values[index] ?? ""]),
  );
  return ok();
}

function getTagging(call: StorageCall): XmlReply {
  const tags = Object.entries(bucketOf(call).tags).map(([Key, Value]) => element("Tag", { Key, Value }));
  return ok(`<Tagging><TagSet>${tags.join("")}</TagSet></Tagging>`);
}

function putObject(call: StorageCall): XmlReply {
  bucketOf(call).versions.push({ key: call.key, id: randomBytes(8).toString("hex"), isMarker: false });
  return ok();
}

/** Of a bucket with versions, as those that the program makes are: what is deleted is hidden. */
function deleteObject(call: StorageCall): XmlReply {
  bucketOf(call).versions.push({ key: call.key, id: randomBytes(8).toString("hex"), isMarker: true });
  return gone;
}

function listVersions(call: StorageCall): XmlReply {
  const { versions, createdAt } = bucketOf(call);
  const shown = versions.map(({ key, id, isMarker }) =>
    element(isMarker ? "DeleteMarker" : "Version", { Key: key, VersionId: id, LastModified: createdAt }),
  );
  return ok(element("ListVersionsResult", { Name: call.bucket, IsTruncated: "false" }, shown.join("")));
}

function deleteVersions(call: StorageCall): XmlReply {
  const ids = textsOf(bodyOf(call), "VersionId");
  const bucket = bucketOf(call);
  bucket.versions = bucket.versions.filter(({ id }) => !ids.includes(id));
  return ok(element("DeleteResult", {}));
}

/** What is set and read as one text. */
function keep(subresource: string): Operation["perform"] {
  return (call) => {
    bucketOf(call).settings[subresource] = bodyOf(call);
    return ok();
  };
}

function kept(subresource: string, otherwise: string | ApiError): Operation["perform"] {
  return (call) => {
    const text = bucketOf(call).settings[subresource] ?? otherwise;
    if (text instanceof ApiError) throw text;
    return ok(text);
  };
}

const none = (code: string): ApiError => new ApiError(404, code, "There is no such configuration.");
const group = (call: StorageCall): XmlReply =>
  ok(
    element("BucketResourceGroupConfiguration", {
      ResourceGroupId: bucketOf(call).resourceGroupId || defaultResourceGroup,
    }),
  );

/** By method and subresource: https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function */
const ofBuckets: Readonly<Record<string, Operation>> = {
  "PUT ": { action: "PutBucket", perform: put },
  "DELETE ": { action: "DeleteBucket", perform: remove },
  "GET bucketInfo": { action: "GetBucketInfo", perform: info },
  "GET cors": { action: "GetBucketCors", perform: kept("cors", none("NoSuchCORSConfiguration")) },
  "GET website": { action: "GetBucketWebsite", perform: kept("website", none("NoSuchWebsiteConfiguration")) },
  "GET logging": { action: "GetBucketLogging", perform: kept("logging", element("BucketLoggingStatus", {})) },
  "GET referer": {
    action: "GetBucketReferer",
    perform: kept("referer", element("RefererConfiguration", { AllowEmptyReferer: "true" })),
  },
  "GET lifecycle": { action: "GetBucketLifecycle", perform: kept("lifecycle", none("NoSuchLifecycle")) },
  "PUT lifecycle": { action: "PutBucketLifecycle", perform: keep("lifecycle") },
  "GET policy": { action: "GetBucketPolicy", perform: kept("policy", none("NoSuchBucketPolicy")) },
  "GET tagging": { action: "GetBucketTagging", perform: getTagging },
  "PUT tagging": { action: "PutBucketTagging", perform: putTagging },
  "PUT versioning": { action: "PutBucketVersioning", perform: putVersioning },
  "GET transferAcceleration": {
    action: "GetBucketTransferAcceleration",
    perform: kept("transferAcceleration", none("NoSuchTransferAccelerationConfiguration")),
  },
  "GET resourceGroup": { action: "GetBucketResourceGroup", perform: group },
  "GET versions": { action: "ListObjectVersions", perform: listVersions },
  "POST delete": { action: "DeleteObjectVersion", perform: deleteVersions },
};

const ofObjects: Readonly<Record<string, Operation>> = {
  PUT: { action: "PutObject", perform: putObject },
  DELETE: { action: "DeleteObject", perform: deleteObject },
};

/** Undefined: the emulator does not have it. */
export function operationOf({ method, query }: SignedRequest, bucket: string, key: string): Operation | undefined {
  if (bucket === "") return method === "GET" ? { action: "ListBuckets", perform: list } : undefined;
  if (key !== "") return ofObjects[query.has("versionId") ? `${method} version` : method];
  const [subresource = ""] = [...query.keys()].filter((name) => ofBuckets[`${method} ${name}`]);
  return ofBuckets[`${method} ${subresource}`];
}

/** Names in RAM policies of all that there is. */
export const storageActions: readonly string[] = [
  "ListBuckets",
  ...[ofBuckets, ofObjects].flatMap((table) => Object.values(table).map(({ action }) => action)),
];
