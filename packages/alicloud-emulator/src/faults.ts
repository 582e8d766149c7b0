import { z } from "zod";
import type { Market, Stock } from "./call";
import { ApiError } from "./errors";

const times = z.number().int().positive().optional();
const place = {
  zone: z.string().optional(),
  type: z.string().optional(),
  /** Undefined: in both. */
  market: z.enum(["spot", "onDemand"]).optional(),
};

/**
 * What goes wrong, until it is cleared or happened `times` (1 where a retry is to succeed, else for ever).
 * `action`: its name, `*` stands for anything.
 */
export const faultSchema = z.discriminatedUnion("kind", [
  /** Not offered and not to be had; without zone or type everywhere, every one. */
  z.object({ kind: z.literal("soldOut"), ...place }),
  /** Offered by DescribeAvailableResource, but gone when it is bought. */
  z.object({ kind: z.literal("noStock"), ...place }),
  /** A zone lacks a category of disks. */
  z.object({ kind: z.literal("noDisk"), zone: z.string().optional(), category: z.string() }),
  /** DescribePrice has no price of an instance type, a category of disks or `traffic`. */
  z.object({ kind: z.literal("noPrice"), of: z.string() }),
  z.object({ kind: z.literal("quota"), action: z.string(), times }),
  z.object({ kind: z.literal("insufficientBalance"), times }),
  z.object({ kind: z.literal("riskControl"), times }),
  z.object({ kind: z.literal("dependencyViolation"), action: z.string(), times: times.default(1) }),
  z.object({ kind: z.literal("throttled"), action: z.string().default("*"), times: times.default(1) }),
  z.object({
    kind: z.literal("serverError"),
    action: z.string().default("*"),
    status: z.union([z.literal(500), z.literal(503)]).default(500),
    times: times.default(1),
  }),
  /** The action takes effect, but its answer is lost: the connection is cut, or a gateway gives up (504). */
  z.object({
    kind: z.literal("lostAnswer"),
    action: z.string(),
    how: z.enum(["cut", "timeout"]).default("cut"),
    times: times.default(1),
  }),
  /** Any other answer. */
  z.object({
    kind: z.literal("error"),
    action: z.string(),
    status: z.number().int(),
    code: z.string(),
    message: z.string().default("An error set by a test."),
    times,
  }),
]);
/** A fault as it is asked for. */
export type Fault = z.input<typeof faultSchema>;
type Known = z.infer<typeof faultSchema>;

/** What the real cloud answers when an account has as many as it may. */
const quotas: Readonly<Record<string, readonly [status: number, code: string]>> = {
  RunInstances: [403, "QuotaExceed.ElasticQuota"],
  CreateVpc: [400, "QuotaExceeded.Vpc"],
  CreateVSwitch: [400, "QuotaExceeded.VSwitch"],
  AllocateEipAddress: [400, "QuotaExceeded.Eip"],
  CreateDisk: [403, "QuotaExceed.PostPaidDisk"],
  CreateSnapshot: [403, "QuotaExceed.Snapshot"],
  CreateSecurityGroup: [403, "QuotaExceed.SecurityGroup"],
  ImportKeyPair: [403, "QuotaExceed.KeyPair"],
  AddDomainRecord: [400, "QuotaExceeded.Record"],
  CreateAutoSnapshotPolicy: [400, "QuotaExceed.AutoSnapshotPolicy"],
};

/** Dependencies of a resource that is to be deleted, as far as they have a code of their own. */
const dependencies: Readonly<Record<string, string>> = {
  DeleteVpc: "DependencyViolation.VSwitch",
  DeleteIpv6Gateway: "DependencyViolation.Ipv6InternetBandwidth",
};

const paid = ["RunInstances", "StartInstance", "ModifyInstanceSpec", "CreateDisk", "AllocateEipAddress"];

const fits = (pattern: string, action: string): boolean =>
  new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(action);

/** The answer a fault gives to an action, or undefined if it does not concern it. */
function errorOf(fault: Known, action: string): ApiError | undefined {
  switch (fault.kind) {
    case "quota": {
      const [status, code] = quotas[action] ?? [403, "QuotaExceeded"];
      return fits(fault.action, action)
        ? new ApiError(status, code, "The quota of this resource is used up.")
        : undefined;
    }
    case "insufficientBalance":
      return paid.includes(action)
        ? new ApiError(403, "InvalidAccountStatus.NotEnoughBalance", "Your account does not have enough balance.")
        : undefined;
    case "riskControl":
      return paid.includes(action)
        ? new ApiError(403, "Forbidden.RiskControl", "This operation is forbidden by Aliyun RiskControl system.")
        : undefined;
    case "dependencyViolation":
      return fits(fault.action, action)
        ? new ApiError(
            400,
            dependencies[action] ?? "DependencyViolation",
            "There is still something that depends on it.",
          )
        : undefined;
    case "throttled":
      return fits(fault.action, action)
        ? new ApiError(400, "Throttling.User", "Request was denied due to user flow control.")
        : undefined;
    case "serverError":
      return fits(fault.action, action)
        ? new ApiError(
            fault.status,
            fault.status === 503 ? "ServiceUnavailable" : "InternalError",
            "The request processing has failed due to some unknown error.",
          )
        : undefined;
    case "error":
      return fits(fault.action, action) ? new ApiError(fault.status, fault.code, fault.message) : undefined;
    case "soldOut":
    case "noStock":
    case "noDisk":
    case "noPrice":
    case "lostAnswer":
      return undefined;
  }
}

/** The faults that are set, and what they do. */
export class Faults implements Stock {
  #faults: { readonly fault: Known; left: number }[] = [];

  /** Throws if it is no fault. */
  add(fault: unknown): void {
    const known = faultSchema.parse(fault);
    this.#faults.push({ fault: known, left: "times" in known ? (known.times ?? Infinity) : Infinity });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Those that can still happen. */
  get pending(): readonly Known[] {
    return this.#faults.map((one) => one.fault);
  }

  /** The error an action gets now instead of being done. */
  errorFor(action: string): ApiError | undefined {
    for (const one of this.#faults) {
      const error = errorOf(one.fault, action);
      if (error) {
        this.#use(one);
        return error;
      }
    }
    return undefined;
  }

  /** Whether and how the answer of an action that was done is lost. */
  lossFor(action: string): "cut" | "timeout" | undefined {
    for (const one of this.#faults)
      if (one.fault.kind === "lostAnswer" && fits(one.fault.action, action)) {
        this.#use(one);
        return one.fault.how;
      }
    return undefined;
  }

  #use(used: { left: number }): void {
    used.left -= 1;
    this.#faults = this.#faults.filter((one) => one.left > 0);
  }

  offers(zone: string, type: string, market: Market): boolean {
    return !this.#lacks(["soldOut"], zone, type, market);
  }

  canBuy(zone: string, type: string, market: Market): boolean {
    return !this.#lacks(["soldOut", "noStock"], zone, type, market);
  }

  #lacks(kinds: readonly string[], zone: string, type: string, market: Market): boolean {
    return this.pending.some(
      (fault) =>
        (fault.kind === "soldOut" || fault.kind === "noStock") &&
        kinds.includes(fault.kind) &&
        (fault.zone ?? zone) === zone &&
        (fault.type ?? type) === type &&
        (fault.market ?? market) === market,
    );
  }

  lacksPrice(name: string): boolean {
    return this.pending.some((fault) => fault.kind === "noPrice" && fault.of === name);
  }

  lacksDisk(zone: string, category: string): boolean {
    return this.pending.some(
      (fault) => fault.kind === "noDisk" && (fault.zone ?? zone) === zone && fault.category === category,
    );
  }
}
