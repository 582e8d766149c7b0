import { timestamp } from "@cloudcode/alicloud-emulator/clock";
import { signatureV4 } from "@cloudcode/alicloud-emulator/oss/signature";
import { textsOf } from "@cloudcode/alicloud-emulator/oss/xml";

const region = "ap-southeast-1";

/** A call of object storage, signed with this key: its status, and the code of its error. */
export async function storageCall(
  port: number,
  key: { readonly id: string; readonly secret: string },
  method: string,
  target: string,
): Promise<[status: number, code: string]> {
  const url = new URL(target, `http://127.0.0.1:${port}`);
  const date = timestamp().replaceAll(/[-:]/g, "");
  const headers = { "x-oss-content-sha256": "UNSIGNED-PAYLOAD", "x-oss-date": date };
  const request = {
    method,
    path: url.pathname,
    headers,
    query: new Map(url.searchParams),
    form: new Map<string, string>(),
  };
  const day = date.slice(0, 8);
  const signature = signatureV4({ ...request, body: Buffer.from("") }, day, region, key.secret);
  const authorization = `OSS4-HMAC-SHA256 Credential=${key.id}/${day}/${region}/oss/aliyun_v4_request,Signature=${signature}`;
  const answer = await fetch(url, { method, headers: { ...headers, authorization } });
  return [answer.status, textsOf(await answer.text(), "Code")[0] ?? ""];
}
