import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as wire from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { placeStandIns, packageVersion } from "../toolchain/bundle";
import { unary } from "../toolchain/stand-ins/plugin/rpc";
import type { ValueMap } from "../toolchain/stand-ins/plugin/values";
import { fromStruct, text, toStruct } from "../toolchain/stand-ins/plugin/values";

export interface Logged {
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  readonly ephemeral: boolean;
}

export interface CheckResult {
  readonly inputs: ValueMap;
  readonly failures: string[];
}

export interface DiffResult {
  readonly changed: boolean;
  readonly kinds: Readonly<Record<string, string>>;
  readonly replaces: readonly string[];
}

/** A plugin process, spoken to as the engine would. */
export interface Plugin {
  readonly logged: Logged[];
  check(type: string, inputs: ValueMap): Promise<CheckResult>;
  /** `state` is what the resource's creation gave. @default the old inputs */
  diff(type: string, oldInputs: ValueMap, inputs: ValueMap, state?: ValueMap): Promise<DiffResult>;
  create(type: string, inputs: ValueMap, timeoutSeconds?: number): Promise<ValueMap>;
  preview(type: string, inputs: ValueMap): Promise<ValueMap>;
  update(type: string, state: ValueMap, inputs: ValueMap): Promise<ValueMap>;
  delete(type: string, state: ValueMap): Promise<void>;
  /** What a refresh finds: the resource by its id; empty where it is gone. */
  read(type: string, id: string, state: ValueMap, inputs: ValueMap): Promise<{ id: string; state: ValueMap }>;
  cancel(): Promise<void>;
  stop(): void;
}

type Call<Q, R> = (request: Q, done: (error: grpc.ServiceError | null, response: R) => void) => unknown;

function ask<Q, R>(call: Call<Q, R>, request: Q): Promise<R> {
  return new Promise((resolve, reject) => {
    call(request, (error, response) => {
      if (error) reject(new Error(error.details));
      else resolve(response);
    });
  });
}

async function fakeEngine(logged: Logged[]): Promise<{ address: string; server: grpc.Server }> {
  const names = { [LogSeverity.WARNING]: "warning", [LogSeverity.ERROR]: "error" } as const;
  const server = new grpc.Server();
  server.addService(EngineService, {
    log: unary((request: LogRequest) => {
      const severity = request.getSeverity();
      const name = severity === LogSeverity.WARNING || severity === LogSeverity.ERROR ? names[severity] : "info";
      logged.push({ severity: name, message: request.getMessage(), ephemeral: request.getEphemeral() });
      return new Empty();
    }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { address: `127.0.0.1:${port}`, server };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("no output");
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => {
      reject(new Error("the plugin ended without a port"));
    });
  });
}

const urn = (type: string): string => `urn:pulumi:dev::toy::${type}::thing`;

export type PluginName = "command" | "random" | "tls";

/**
 * Starts one of the plugins in a folder of its own: out of the folder `official`, else the stand-in. The tests of the stand-ins are
 * put to official plugins where CLOUDCODE_TEST_PLUGIN_DIR names a folder with such.
 */
export async function startPlugin(
  name: PluginName,
  official = process.env["CLOUDCODE_TEST_PLUGIN_DIR"],
): Promise<Plugin> {
  const folder = mkdtempSync(join(tmpdir(), "plugin-"));
  const program = `pulumi-resource-${name}`;
  const version = packageVersion(`@pulumi/${name}`);
  if (official === undefined) await placeStandIns(folder, [{ folder: name, program, version, in: folder }]);
  const logged: Logged[] = [];
  const engine = await fakeEngine(logged);
  const child = spawn(join(official ?? folder, program), [engine.address], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await firstLine(child);
  const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());

  const configure = new wire.ConfigureRequest();
  configure.setSendsOldInputs(true);
  configure.setSendsOldInputsToDelete(true);
  configure.setAcceptsecrets(true);
  await ask<wire.ConfigureRequest, wire.ConfigureResponse>(client.configure.bind(client), configure);

  const createRequest = (type: string, inputs: ValueMap): wire.CreateRequest => {
    const request = new wire.CreateRequest();
    request.setUrn(urn(type));
    request.setProperties(toStruct(inputs));
    return request;
  };
  const kindNames: readonly string[] = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"];

  return {
    logged,
    check: async (type, inputs) => {
      const request = new wire.CheckRequest();
      request.setUrn(urn(type));
      request.setNews(toStruct(inputs));
      const response = await ask<wire.CheckRequest, wire.CheckResponse>(client.check.bind(client), request);
      const failures = response.getFailuresList().map((failure) => `${failure.getProperty()}: ${failure.getReason()}`);
      return { inputs: fromStruct(response.getInputs()), failures };
    },
    diff: async (type, oldInputs, inputs, state = oldInputs) => {
      const request = new wire.DiffRequest();
      request.setUrn(urn(type));
      request.setId(text(state["id"]) ?? "thing1");
      request.setOlds(toStruct(state));
      request.setOldInputs(toStruct(oldInputs));
      request.setNews(toStruct(inputs));
      const response = await ask<wire.DiffRequest, wire.DiffResponse>(client.diff.bind(client), request);
      const kinds: Record<string, string> = {};
      response.getDetaileddiffMap().forEach((detail, path) => {
        kinds[path] = kindNames[detail.getKind()] ?? "?";
      });
      return {
        changed: response.getChanges() === wire.DiffResponse.DiffChanges.DIFF_SOME,
        kinds,
        replaces: response.getReplacesList(),
      };
    },
    create: async (type, inputs, timeoutSeconds = 0) => {
      const request = createRequest(type, inputs);
      request.setTimeout(timeoutSeconds);
      const response = await ask<wire.CreateRequest, wire.CreateResponse>(client.create.bind(client), request);
      return fromStruct(response.getProperties());
    },
    preview: async (type, inputs) => {
      const request = createRequest(type, inputs);
      request.setPreview(true);
      const response = await ask<wire.CreateRequest, wire.CreateResponse>(client.create.bind(client), request);
      return fromStruct(response.getProperties());
    },
    update: async (type, state, inputs) => {
      const request = new wire.UpdateRequest();
      request.setUrn(urn(type));
      request.setOlds(toStruct(state));
      request.setNews(toStruct(inputs));
      const response = await ask<wire.UpdateRequest, wire.UpdateResponse>(client.update.bind(client), request);
      return fromStruct(response.getProperties());
    },
    delete: async (type, state) => {
      const request = new wire.DeleteRequest();
      request.setUrn(urn(type));
      request.setProperties(toStruct(state));
      await ask<wire.DeleteRequest, Empty>(client.delete.bind(client), request);
    },
    read: async (type, id, state, inputs) => {
      const request = new wire.ReadRequest();
      request.setUrn(urn(type));
      request.setId(id);
      request.setProperties(toStruct(state));
      request.setInputs(toStruct(inputs));
      const response = await ask<wire.ReadRequest, wire.ReadResponse>(client.read.bind(client), request);
      return { id: response.getId(), state: fromStruct(response.getProperties()) };
    },
    cancel: async () => {
      await ask<Empty, Empty>(client.cancel.bind(client), new Empty());
    },
    stop: () => {
      client.close();
      child.kill();
      engine.server.forceShutdown();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
