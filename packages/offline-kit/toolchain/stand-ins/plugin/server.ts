import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as wire from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { topLevel } from "./diff";
import type { Difference, Operation, Provider, ResourceType } from "./provider";
import { serve, unary, UNLIMITED } from "./rpc";
import type { ValueMap } from "./values";
import { fromStruct, toStruct } from "./values";

const { PropertyDiff } = wire;
const KIND = {
  add: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
  delete: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
  update: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

function diffResponse({ changes, replaces, detailed = true }: Difference): wire.DiffResponse {
  const response = new wire.DiffResponse();
  for (const [path, kind] of detailed ? changes : []) {
    const detail = new PropertyDiff();
    detail.setKind(KIND[kind][replaces.has(path) ? 1 : 0]);
    response.getDetaileddiffMap().set(path, detail);
  }
  response.setHasdetaileddiff(detailed);
  response.setDiffsList([...new Set([...changes.keys()].map(topLevel))]);
  response.setReplacesList([...new Set([...replaces].map(topLevel))]);
  const { DIFF_SOME, DIFF_NONE } = wire.DiffResponse.DiffChanges;
  response.setChanges(changes.size > 0 ? DIFF_SOME : DIFF_NONE);
  return response;
}

class Running {
  readonly #interrupt = new AbortController();
  #engine: EngineClient | undefined;
  #sent: Promise<void> = Promise.resolve();

  constructor(private readonly engineAddress: string | undefined) {}

  interrupt(): void {
    this.#interrupt.abort(new Error("context canceled"));
  }

  /** Runs one operation within its custom timeout; its log lines reach the engine before its answer does. */
  async run<T>(urn: string, seconds: number, work: (operation: Operation) => Promise<T>): Promise<T> {
    const timeout = new AbortController();
    const expire = (): void => {
      timeout.abort(new Error("context deadline exceeded"));
    };
    const timer = seconds > 0 ? setTimeout(expire, seconds * 1000) : undefined;
    try {
      return await work({
        cancelled: AbortSignal.any([this.#interrupt.signal, timeout.signal]),
        status: (message) => {
          this.#status(urn, message);
        },
      });
    } finally {
      clearTimeout(timer);
      await this.#sent;
    }
  }

  #status(urn: string, message: string): void {
    const address = this.engineAddress;
    if (address === undefined) return;
    const engine = (this.#engine ??= new EngineClient(address, credentials.createInsecure(), UNLIMITED));
    const request = new LogRequest();
    request.setSeverity(LogSeverity.INFO);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(true);
    const before = this.#sent;
    this.#sent = before.then(
      () =>
        new Promise((done) => {
          engine.log(request, () => {
            done();
          });
        }),
    );
  }
}

/** Serves a provider to the engine that started this process. */
export function serveProvider(provider: Provider): void {
  const running = new Running(process.argv[2]);

  const typeOf = (urn: string): ResourceType => {
    const token = urn.split("::")[2]?.split("$").pop() ?? urn;
    const type = provider.types[token];
    if (!type) throw new Error(`The stand-in has no resource type ${token}; the official plugin has.`);
    return type;
  };
  const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

  serve(ResourceProviderService, {
    getPluginInfo: unary(() => {
      const info = new PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    checkConfig: unary((request: wire.CheckRequest) => {
      const response = new wire.CheckResponse();
      response.setInputs(toStruct({ ...fromStruct(request.getNews()), ...provider.providerInputs }));
      return response;
    }),
    diffConfig: unary(() => diffResponse({ changes: new Map(), replaces: new Set() })),
    configure: unary(() => {
      const response = new wire.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setAcceptresources(true);
      return response;
    }),
    check: unary((request: wire.CheckRequest) => {
      const urn = request.getUrn();
      const { inputs, failures } = typeOf(urn).check(fromStruct(request.getNews()), nameOf(urn));
      const response = new wire.CheckResponse();
      response.setInputs(toStruct(inputs));
      for (const { property, reason } of failures) {
        const failure = new wire.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        response.addFailures(failure);
      }
      return response;
    }),
    diff: unary((request: wire.DiffRequest) =>
      diffResponse(typeOf(request.getUrn()).diff(fromStruct(request.getOldInputs()), fromStruct(request.getNews()))),
    ),
    create: unary(async (request: wire.CreateRequest) => {
      const urn = request.getUrn();
      const type = typeOf(urn);
      const inputs = fromStruct(request.getProperties());
      const response = new wire.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(toStruct(type.preview(inputs, undefined)));
        return response;
      }
      const made = await running.run(urn, request.getTimeout(), (operation) =>
        type.create(nameOf(urn), inputs, operation),
      );
      response.setId(made.id);
      response.setProperties(toStruct(made.outputs));
      return response;
    }),
    read: unary((request: wire.ReadRequest) => {
      const response = new wire.ReadResponse();
      response.setId(request.getId());
      response.setProperties(request.getProperties());
      response.setInputs(request.getInputs());
      return response;
    }),
    update: unary(async (request: wire.UpdateRequest) => {
      const urn = request.getUrn();
      const type = typeOf(urn);
      const state = fromStruct(request.getOlds());
      const inputs = fromStruct(request.getNews());
      const outputs: ValueMap = request.getPreview()
        ? type.preview(inputs, state)
        : await running.run(urn, request.getTimeout(), (operation) => type.update(state, inputs, operation));
      const response = new wire.UpdateResponse();
      response.setProperties(toStruct(outputs));
      return response;
    }),
    delete: unary(async (request: wire.DeleteRequest) => {
      const urn = request.getUrn();
      const state = fromStruct(request.getProperties());
      await running.run(urn, request.getTimeout(), (operation) => typeOf(urn).delete(state, operation));
      return new Empty();
    }),
    cancel: unary(() => {
      running.interrupt();
      return new Empty();
    }),
  });
}
