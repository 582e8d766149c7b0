import { randomUUID } from "node:crypto";
import { z } from "zod";
import { askedAbout } from "./authorization";
import type { Action, Answer, Call, Finances, Terms } from "./call";
import type { Catalogue } from "./catalogue";
import type { Cloud } from "./cloud";
import { ApiError } from "./errors";
import type { Faults } from "./faults";
import type { Journal } from "./journal";
import { checkParameters, Parameters } from "./parameters";
import type { Policy } from "./policy";
import { allows } from "./policy";
import type { Product } from "./products";
import { products } from "./products";
import type { SignedRequest } from "./signature";
import { checkSignature, ReplayGuard } from "./signature";

/** An answer to send; `lost` says that it is not sent but the connection cut. */
export interface Reply {
  readonly status: number;
  readonly body: Answer;
  readonly lost: boolean;
}

/** What decides on requests and can be changed while the emulator runs. */
export interface Rules {
  /** Secrets by access key id. */
  readonly keys: ReadonlyMap<string, string>;
  /** Undefined: everything is allowed. */
  policy: Policy | undefined;
  readonly faults: Faults;
  /** Currency and discount of the prices. */
  terms: Terms;
  finances: Finances;
}

/** Parameters that say who asks and how, not what for. */
const technical = /^(Signature.*|AccessKeyId|Timestamp|Format|SecurityToken|Action|Version)$/;

const answerSchema = z.record(z.string(), z.json());

const defaultRegion = "ap-southeast-1";

/** The front of all APIs: signature, permission, parameters, faults, then the action itself. */
export class Gateway {
  readonly #replays = new ReplayGuard();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cloud: Cloud,
    private readonly catalogue: Catalogue,
    private readonly rules: Rules,
    private readonly journal: Journal,
    private readonly changed: () => void,
  ) {}

  async reply(request: SignedRequest): Promise<Reply> {
    const values = new Map([...request.query, ...request.form]);
    const action = request.headers["x-acs-action"] ?? values.get("Action") ?? "";
    const product = products[request.headers["x-acs-version"] ?? values.get("Version") ?? ""];
    const business = new Map([...values].filter(([key]) => !technical.test(key)));
    const RequestId = randomUUID().toUpperCase();
    let reply: Reply;
    try {
      const answer = await this.#answer(request, product, action, business);
      const lost = this.rules.faults.lossFor(action);
      if (lost === "timeout") throw new ApiError(504, "GatewayTimeout", "The gateway waited too long for the answer.");
      reply = { status: 200, body: { RequestId, ...answer }, lost: lost === "cut" };
    } catch (error) {
      const known = this.#known(action, error);
      const body = {
        RequestId,
        HostId: "127.0.0.1",
        Code: known.code,
        Message: known.message,
        Recommend: "",
        ...known.more,
      };
      reply = { status: known.status, body, lost: false };
    }
    this.journal.call({
      product: product?.name ?? "",
      action,
      parameters: Object.fromEntries(business),
      clientToken: business.get("ClientToken") ?? "",
      status: reply.lost ? 0 : reply.status,
      code: typeof reply.body["Code"] === "string" ? reply.body["Code"] : "",
    });
    return reply;
  }

  #known(action: string, error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    const why = error instanceof Error ? error.message : String(error);
    this.journal.failures.push(`${action}: ${why}`);
    return new ApiError(500, "InternalError", why);
  }

  async #answer(
    request: SignedRequest,
    product: Product | undefined,
    actionName: string,
    values: ReadonlyMap<string, string>,
  ): Promise<Answer> {
    const signer = checkSignature(request, (keyId) => this.rules.keys.get(keyId));
    this.#replays.check(signer, Date.now());
    const action = product?.actions[actionName];
    if (!product || !action)
      throw this.#violation(actionName, new ApiError(404, "InvalidAction.NotFound", "No such API."));
    const region = values.get("RegionId") ?? values.get("regionId") ?? defaultRegion;
    const { cloud, catalogue } = this;
    const { faults: stock, terms, finances } = this.rules;
    const call = { parameters: new Parameters(values), region, cloud, catalogue, stock, terms, finances };
    this.#authorize(product.name, actionName, action.right ?? `${product.name}:${actionName}`, call);
    const wrong = checkParameters(action.parameters, values);
    if (wrong) throw this.#violation(actionName, wrong);
    if (product.regional && this.catalogue.zones(region).length === 0)
      throw new ApiError(404, "InvalidRegionId.NotFound", `The specified RegionId ${region} does not exist.`);
    const fault = this.rules.faults.errorFor(actionName);
    if (fault) throw fault;
    return this.#perform(actionName, action, call);
  }

  /** Everything the request is about must be allowed; who asks who he is always may. */
  #authorize(product: string, actionName: string, action: string, call: Call): void {
    if (!this.rules.policy || product === "sts") return;
    const finds = askedAbout(product, actionName);
    if (!finds) throw new Error(`src/authorization.ts does not know what ${action} is about`);
    const resources = finds.flatMap((find) => find(call));
    if (allows(this.rules.policy, { action, resources, tags: call.parameters.tags() })) return;
    throw new ApiError(
      403,
      "Forbidden.RAM",
      "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
      { AccessDeniedDetail: { AuthAction: action, NoPermissionType: "ImplicitDeny" } },
    );
  }

  #violation(action: string, error: ApiError): ApiError {
    this.journal.violations.push({ action, message: error.message });
    return error;
  }

  /** Reads at once; what changes something, one after the other. */
  async #perform(name: string, action: Action, call: Call): Promise<Answer> {
    if (/^(Describe|List|Get|Query)/.test(name)) return action.handle(call);
    const turn = this.#queue.then(() => this.#once(name, action, call));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** A ClientToken seen before gets the answer of then, so that a repeated request has one effect. */
  async #once(name: string, action: Action, call: Call): Promise<Answer> {
    const { tokens } = this.cloud.state;
    const token = call.parameters.text("ClientToken");
    const key = `${name} ${token}`;
    const parameters = JSON.stringify([...call.parameters.values].sort());
    const known = token === "" ? undefined : tokens.get(key);
    if (known && known.parameters !== parameters)
      throw new ApiError(400, "IdempotentParameterMismatch", "The ClientToken was used with other parameters.");
    if (known) return answerSchema.parse(JSON.parse(known.answer));
    const answer = await action.handle(call);
    if (token !== "") tokens.set(key, { parameters, answer: JSON.stringify(answer) });
    this.changed();
    return answer;
  }
}
