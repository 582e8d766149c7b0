import * as pulumi from "@pulumi/pulumi";
import type {
  RegisterErrorHookRequest,
  RegisterResourceHookRequest,
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { type Plain, holdsSecret, withoutSecrets } from "./plain";
import { type Account, type Call, answerOf, callOf } from "./provider-answers";

// Where in the sources a resource is declared interests no test, and finding out reads the source map of each file.
Object.assign(pulumi.Resource, { callsites: () => [] });

/** One resource as the engine received it. */
export interface RecordedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Of the plugin. */
  readonly version: string;
  /** Values of the inputs; which of them are secret is in `secretInputs`. */
  readonly inputs: Readonly<Record<string, Plain>>;
  readonly secretInputs: readonly string[];
  /** Undefined: of no interest. */
  readonly id: string | undefined;
  /** What the mocked provider answered, in addition to the inputs. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly secretOutputs: readonly string[];
  readonly options: {
    readonly parent: string;
    /** URNs. */
    readonly dependsOn: readonly string[];
    readonly protect: boolean;
    readonly deletedWith: string;
    readonly additionalSecretOutputs: readonly string[];
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly deleteBeforeReplace: boolean;
    /** Name of the provider's resource; empty: the default one of its package. */
    readonly provider: string;
    /** URNs. */
    readonly aliases: readonly string[];
    /** Names of the hooks that hear of errors. */
    readonly onError: readonly string[];
    /** Names of the hooks that run before it is created, and before it is updated. */
    readonly before: readonly string[];
    readonly customTimeouts: { readonly create: string; readonly update: string; readonly delete?: string } | undefined;
  };
}

/** A value of the stack's outputs. */
export interface RecordedOutput {
  readonly value: Plain;
  readonly secret: boolean;
}

type Reply<T> = (error: unknown, response?: T) => void;

export interface RecorderOptions {
  /** Names the random values; the same name is the same state. */
  readonly randomness: string;
  /** What the providers would answer is not known yet. */
  readonly preview?: boolean;
  readonly account?: Account;
}

/**
 * Stands in for the engine: remembers every registration with its options, answers with realistic outputs, and names
 * resources as the engine does (the SDK's own mock shortens the types of ancestors in a URN).
 */
export class RecordingMonitor extends MockMonitor {
  readonly recorded: RecordedResource[] = [];
  readonly outputs: Record<string, RecordedOutput> = {};

  readonly calls: Call[] = [];

  constructor(private readonly options: RecorderOptions) {
    super({
      call: ({ token, inputs, provider }) => {
        const call = { token, inputs: inputs as Call["inputs"], provider };
        this.calls.push(call);
        return callOf(call, options.account ?? {});
      },
      newResource: ({ type, name, inputs }) => {
        const given = inputs as Record<string, Plain>;
        if (options.preview) return { id: "", state: given };
        const { id = `${name}-id`, plain, secret } = answerOf(type, name, given, options.randomness);
        const sealed = Object.entries(secret).map(([key, value]) => [key, pulumi.secret(value)]);
        return { id, state: { ...given, ...plain, ...(Object.fromEntries(sealed) as object) } };
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
    const { id, plain, secret } = this.options.preview
      ? { id: undefined, plain: {}, secret: {} }
      : answerOf(request.getType(), request.getName(), raw, this.options.randomness);
    this.recorded.push({
      urn,
      type: request.getType(),
      name: request.getName(),
      version: request.getVersion(),
      inputs: Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, withoutSecrets(value)])),
      secretInputs: Object.keys(raw).filter((key) => holdsSecret(raw[key])),
      id,
      outputs: { ...plain, ...secret },
      secretOutputs: Object.keys(secret),
      options: {
        parent: request.getParent(),
        dependsOn: request.getDependenciesList(),
        protect: request.getProtect() ?? false,
        deletedWith: request.getDeletedwith(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        ignoreChanges: request.getIgnorechangesList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        deleteBeforeReplace: request.getDeletebeforereplace(),
        aliases: request.getAliasesList().map((alias) => alias.getUrn()),
        provider: request.getProvider().split("::")[3] ?? "",
        before: [
          ...(request.getHooks()?.getBeforeCreateList() ?? []),
          ...(request.getHooks()?.getBeforeUpdateList() ?? []),
        ],
        onError: request.getHooks()?.getOnErrorList() ?? [],
        customTimeouts: timeouts && {
          create: timeouts.getCreate(),
          update: timeouts.getUpdate(),
          ...(timeouts.getDelete() !== "" && { delete: timeouts.getDelete() }),
        },
      },
    });
    await super.registerResource(request, (error: unknown, response?: RegisterResourceResponse) => {
      response?.setUrn(urn);
      reply(error, response);
    });
  }

  /** The engine's answer to a hook that it will call; the SDK's own mock has none. */
  registerErrorHook(_request: RegisterErrorHookRequest, reply: (error: null) => void): void {
    reply(null);
  }

  /** The same for one that runs before a resource changes. */
  registerResourceHook(_request: RegisterResourceHookRequest, reply: (error: null) => void): void {
    reply(null);
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

/** The value of an output, secret or not. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
