import { createHash, createHmac } from "node:crypto";
import { ApiError } from "../errors";
import type { SignedRequest } from "../signature";
import { encode } from "../signature";

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Headers that are signed: of OSS itself, and the two of the body. */
const isSigned = (name: string): boolean => name.startsWith("x-oss-") || /^content-(type|md5)$/.test(name);

/** When the request was signed, as sent: OSS's own header, or that of HTTP. */
const dateOf = ({ headers }: SignedRequest): string => headers["x-oss-date"] ?? headers["date"] ?? "";

/**
 * The signature of version 4, of a request by path (`/BUCKET/KEY`).
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
export function signatureV4(request: SignedRequest, day: string, region: string, secret: string): string {
  const query = [...request.query]
    .map(([key, value]) => (value === "" ? encode(key) : `${encode(key)}=${encode(value)}`))
    .sort();
  const headers = Object.entries(request.headers)
    .filter(([name]) => isSigned(name))
    .map(([name, value = ""]) => `${name}:${value.trim()}\n`)
    .sort();
  const hash = request.headers["x-oss-content-sha256"] ?? "";
  const canonical = [request.method, request.path, query.join("&"), headers.join(""), "", hash].join("\n");
  const scope = `${day}/${region}/oss/aliyun_v4_request`;
  const digest = createHash("sha256").update(canonical).digest("hex");
  const text = ["OSS4-HMAC-SHA256", dateOf(request), scope, digest].join("\n");
  const key = [region, "oss", "aliyun_v4_request"].reduce(hmac, hmac(`aliyun_v4${secret}`, day));
  return hmac(key, text).toString("hex");
}

const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10).replaceAll("-", "");

/** Id of the key that signed; throws what OSS answers to a request that nobody known signed for this region. */
export function checkOssSignature(
  request: SignedRequest,
  secretOf: (keyId: string) => string | undefined,
  now: number,
): { readonly keyId: string; readonly region: string } {
  const pattern =
    /^OSS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([a-z0-9-]+)\/oss\/aliyun_v4_request,\s?Signature=([0-9a-f]{64})$/;
  const [, keyId = "", day = "", region = "", given] = pattern.exec(request.headers["authorization"] ?? "") ?? [];
  if (given === undefined)
    throw new ApiError(403, "InvalidArgument", "The Authorization header is not of the form OSS4-HMAC-SHA256.");
  const secret = secretOf(keyId);
  if (secret === undefined)
    throw new ApiError(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.");
  const date = dateOf(request);
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(now - at) <= 15 * 60_000) || isoDay(at) !== day)
    throw new ApiError(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
    );
  if (signatureV4(request, day, region, secret) !== given)
    throw new ApiError(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
    );
  return { keyId, region };
}
