import { randomUUID } from "node:crypto";
import { accountId } from "../account-id";
import type { Cloud } from "../cloud";
import { ApiError } from "../errors";
import type { Rules } from "../gateway";
import type { Journal } from "../journal";
import type { Policy } from "../policy";
import { allows, policySchema } from "../policy";
import type { XmlReply } from "../server";
import type { SignedRequest } from "../signature";
import { operationOf } from "./operations";
import { checkOssSignature } from "./signature";
import { element } from "./xml";

/** Object storage in its own dialect, as far as buckets and their emptying go: signature, permission, the call itself. */
export class ObjectStorage {
  constructor(
    private readonly cloud: Cloud,
    private readonly rules: Rules,
    private readonly journal: Journal,
    private readonly changed: () => void,
  ) {}

  reply(request: SignedRequest): XmlReply {
    const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(request.path) ?? [];
    const operation = operationOf(request, bucket, decodeURIComponent(key));
    const action = operation?.action ?? `${request.method} ${request.path}`;
    let reply: XmlReply;
    let code = "";
    try {
      const { keyId, region } = checkOssSignature(request, (id) => this.#secretOf(id), Date.now());
      if (operation === undefined) {
        this.journal.violations.push({ action, message: "The emulator knows no such call of object storage." });
        throw new ApiError(501, "NotImplemented", "The emulator knows no such call.");
      }
      // https://www.alibabacloud.com/help/en/oss/user-guide/authorization-syntax-and-elements; all buckets are listed as `*`.
      const arn = `acs:oss:*:${accountId}:${[bucket || "*", key].filter((part) => part !== "").join("/")}`;
      const question = { action: `oss:${action}`, resources: [{ arn, tags: {} }], tags: {} };
      if (this.#policiesOf(keyId)?.some((policy) => allows(policy, question)) === false)
        throw new ApiError(403, "AccessDenied", "You have no right to access this object because of bucket acl.");
      const fault = this.rules.faults.errorFor(action);
      if (fault) throw fault;
      reply = operation.perform({ request, bucket, key: decodeURIComponent(key), region, cloud: this.cloud });
      if (request.method !== "GET") this.changed();
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(500, "InternalError", String(error));
      if (known !== error) this.journal.failures.push(`${action}: ${String(error)}`);
      code = known.code;
      const fields = { Code: code, Message: known.message, RequestId: randomUUID(), HostId: "127.0.0.1" };
      reply = { status: known.status, body: element("Error", fields) };
    }
    const parameters = { bucket, key, ...Object.fromEntries(request.query) };
    this.journal.call({ product: "oss", action, parameters, clientToken: "", status: reply.status, code });
    return reply;
  }

  #secretOf(keyId: string): string | undefined {
    const keys = [...this.cloud.state.ramUsers.values()].flatMap((user) => user.keys);
    return this.rules.keys.get(keyId) ?? keys.find((key) => key.id === keyId)?.secret;
  }

  /** Undefined: everything is allowed. */
  #policiesOf(keyId: string): Policy[] | undefined {
    const user = [...this.cloud.state.ramUsers.values()].find((one) => one.keys.some((key) => key.id === keyId));
    if (user === undefined) return this.rules.policy && [this.rules.policy];
    return user.policies.map((name) =>
      policySchema.parse(JSON.parse(this.cloud.state.ramPolicies.get(name)?.document ?? "")),
    );
  }
}
