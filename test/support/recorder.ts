import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { type Plain, holdsSecret, withoutSecrets } from "./plain";

/** What the engine was told of one resource. */
export interface RecordedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Values of the inputs; which of them are secret is in `secretInputs`. */
  readonly inputs: Readonly<Record<string, Plain>>;
  readonly secretInputs: readonly string[];
  /** What the mocked provider answered, besides the inputs. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly options: {
    readonly parent: string;
    /** URNs. */
    readonly dependsOn: readonly string[];
    readonly protect: boolean;
    readonly deletedWith: string;
    readonly additionalSecretOutputs: readonly string[];
    readonly ignoreChanges: readonly string[];
    readonly customTimeouts: { readonly create: string; readonly update: string } | undefined;
  };
}

/** A value of the stack's outputs. */
export interface RecordedOutput {
  readonly value: Plain;
  readonly secret: boolean;
}

type Reply<T> = (error: unknown, response?: T) => void;

/**
 * Stands in for the engine: remembers every registration with its options, answers with realistic outputs, and names
 * resources as the engine does (the SDK's own mock shortens the types of ancestors in a URN).
 */
export class RecordingMonitor extends MockMonitor {
  readonly recorded: RecordedResource[] = [];
  readonly outputs: Record<string, RecordedOutput> = {};

  constructor(private readonly randomness: string) {
    super({
      call: ({ token }) => {
        throw new Error(`the program calls ${token}, which it does not need`);
      },
      newResource: ({ type, name, inputs }) => {
        const given = inputs as Record<string, unknown>;
        const answered = outputsOf(type, name, Number(given["length"]), randomness);
        const state = Object.entries(answered).map(([key, value]) => [key, pulumi.secret(value)]);
        return { id: `${name}-id`, state: { ...given, ...(Object.fromEntries(state) as Record<string, unknown>) } };
      },
    });
  }

  override async registerResource(
    request: RegisterResourceRequest,
    reply: Reply<RegisterResourceResponse>,
  ): Promise<void> {
    const urn = urnOf(request.getParent(), request.getType(), request.getName());
    const raw = (request.getObject()?.toJavaScript() ?? {}) as Record<string, Plain>;
    const timeouts = request.getCustomtimeouts();
    this.recorded.push({
      urn,
      type: request.getType(),
      name: request.getName(),
      inputs: Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, withoutSecrets(value)])),
      secretInputs: Object.keys(raw).filter((key) => holdsSecret(raw[key])),
      outputs: outputsOf(request.getType(), request.getName(), Number(withoutSecrets(raw["length"])), this.randomness),
      options: {
        parent: request.getParent(),
        dependsOn: request.getDependenciesList(),
        protect: request.getProtect() ?? false,
        deletedWith: request.getDeletedwith(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        ignoreChanges: request.getIgnorechangesList(),
        customTimeouts: timeouts && { create: timeouts.getCreate(), update: timeouts.getUpdate() },
      },
    });
    await super.registerResource(request, (error: unknown, response?: RegisterResourceResponse) => {
      response?.setUrn(urn);
      reply(error, response);
    });
  }

  override registerResourceOutputs(request: RegisterResourceOutputsRequest, reply: Reply<object>): void {
    if (request.getUrn().includes("::pulumi:pulumi:Stack::")) {
      const raw = (request.getOutputs()?.toJavaScript() ?? {}) as Record<string, Plain>;
      for (const [key, value] of Object.entries(raw)) {
        this.outputs[key] = { value: withoutSecrets(value), secret: holdsSecret(value) };
      }
    }
    reply(undefined, {});
  }
}

/** https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
function urnOf(parent: string, type: string, name: string): string {
  const parentType = parent.split("::")[2] ?? "";
  const qualified = parentType === "" || parentType === "pulumi:pulumi:Stack" ? type : `${parentType}$${type}`;
  return `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${qualified}::${name}`;
}

/** Random values depend on the name and on `randomness` alone, as if kept in state between two runs. */
function outputsOf(type: string, name: string, length: number, randomness: string): Record<string, string> {
  const bytes = createHash("sha512").update(`${randomness} ${name}`).digest();
  switch (type) {
    case "random:index/randomBytes:RandomBytes": {
      const random = bytes.subarray(0, length);
      return { base64: random.toString("base64"), hex: random.toString("hex") };
    }
    case "random:index/randomPassword:RandomPassword": {
      const letters = bytes.toString("base64").replace(/[^A-Za-z0-9]/g, "");
      return { result: letters.slice(0, length), bcryptHash: "$2a$10$mock" };
    }
    case "command:remote:Command":
    case "command:local:Command":
      return { stdout: "", stderr: "" };
    default:
      return {};
  }
}

/** The value of an output, secret or not. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
