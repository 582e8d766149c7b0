import { createHash, createHmac } from "node:crypto";
import { ApiError } from "./errors";

/** A request as it came in. `form`: the fields of a form body. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: ReadonlyMap<string, string>;
  readonly form: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Who signed, and when (ISO 8601) with which nonce. */
export interface Signer {
  readonly keyId: string;
  readonly timestamp: string;
  readonly nonce: string;
}

/** RFC 3986: encodeURIComponent leaves five characters more. */
export const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

const canonicalQuery = (values: Iterable<readonly [string, string]>): string =>
  [...values]
    .sort(byKey)
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .join("&");

/** The signature of an RPC request, version 1.0. https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism */
export function signatureV1(method: string, values: ReadonlyMap<string, string>, secret: string): string {
  const query = canonicalQuery([...values].filter(([key]) => key !== "Signature"));
  return createHmac("sha1", `${secret}&`)
    .update(`${method}&%2F&${encode(query)}`)
    .digest("base64");
}

const sha256 = (value: string | Uint8Array): string => createHash("sha256").update(value).digest("hex");

/** The signature of version 3. https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature */
export function signatureV3(request: SignedRequest, signedHeaders: readonly string[], secret: string): string {
  const headers = [...signedHeaders].sort().map((name) => `${name}:${(request.headers[name] ?? "").trim()}\n`);
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    headers.join(""),
    [...signedHeaders].sort().join(";"),
    sha256(request.body),
  ].join("\n");
  return createHmac("sha256", secret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest("hex");
}

const mismatch = (): ApiError =>
  new ApiError(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.");

const unknownKey = (): ApiError =>
  new ApiError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");

/** Who signed this request; throws what the gateway answers to a request that nobody known signed. */
export function checkSignature(request: SignedRequest, secretOf: (keyId: string) => string | undefined): Signer {
  const authorization = request.headers["authorization"];
  return authorization === undefined ? checkV1(request, secretOf) : checkV3(request, authorization, secretOf);
}

function checkV1(request: SignedRequest, secretOf: (keyId: string) => string | undefined): Signer {
  const values = new Map([...request.query, ...request.form]);
  const read = (key: string): string => {
    const value = values.get(key);
    if (value === undefined) throw new ApiError(400, `Missing${key}`, `${key} is mandatory for this action.`);
    return value;
  };
  const signer = { keyId: read("AccessKeyId"), timestamp: read("Timestamp"), nonce: read("SignatureNonce") };
  const secret = secretOf(signer.keyId);
  if (secret === undefined) throw unknownKey();
  if (read("SignatureMethod") !== "HMAC-SHA1")
    throw new ApiError(400, "InvalidSignatureMethod", "SignatureMethod must be HMAC-SHA1.");
  if (signatureV1(request.method, values, secret) !== read("Signature")) throw mismatch();
  return signer;
}

function checkV3(
  request: SignedRequest,
  authorization: string,
  secretOf: (keyId: string) => string | undefined,
): Signer {
  const match = /^ACS3-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
    authorization,
  );
  const [, keyId, names, signature] = match ?? [];
  if (keyId === undefined || names === undefined || signature === undefined)
    throw new ApiError(400, "InvalidAuthorization", "The Authorization header is not of the form ACS3-HMAC-SHA256.");
  const secret = secretOf(keyId);
  if (secret === undefined) throw unknownKey();
  const signed = names.split(";");
  const forgotten = Object.keys(request.headers).filter((name) => name.startsWith("x-acs-") && !signed.includes(name));
  if (!signed.includes("host") || forgotten.length > 0) throw mismatch();
  const hash = request.headers["x-acs-content-sha256"];
  if (hash !== sha256(request.body) || signatureV3(request, signed, secret) !== signature) throw mismatch();
  return {
    keyId,
    timestamp: request.headers["x-acs-date"] ?? "",
    nonce: request.headers["x-acs-signature-nonce"] ?? "",
  };
}

const tolerance = 15 * 60 * 1000;

/** Refuses requests that are too old and those that were sent before. */
export class ReplayGuard {
  readonly #seen = new Map<string, number>();

  /** `now`: milliseconds. Throws what the gateway answers. */
  check(signer: Signer, now: number): void {
    const age = Math.abs(now - Date.parse(signer.timestamp));
    if (!(age <= tolerance))
      throw new ApiError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
    if (this.#seen.has(signer.nonce))
      throw new ApiError(400, "SignatureNonceUsed", "Specified signature nonce was used already.");
    this.#seen.set(signer.nonce, now);
    for (const [nonce, at] of this.#seen) if (now - at > tolerance) this.#seen.delete(nonce);
  }
}
