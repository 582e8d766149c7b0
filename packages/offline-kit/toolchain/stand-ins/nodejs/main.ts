// Stand-in for pulumi-language-nodejs, used only where the official one cannot be downloaded.
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as wire from "@pulumi/pulumi/proto/language_pb";
import { PackageDependency, PackageParameterization, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { errorText, serve, unary } from "../plugin/rpc";
import { fromStruct } from "../plugin/values";
import { install, packageManager } from "./install";
import { parseOptions } from "./options";
import { installedPackages, readManifest, requiredPlugins } from "./packages";
import { runProgram } from "./run";
import { runPolicyPack } from "./run-policy-pack";

const cancel = new AbortController();
let engine = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";

function folderOf(request: { getInfo(): wire.ProgramInfo | undefined }): string {
  return request.getInfo()?.getProgramDirectory() ?? process.cwd();
}

function managerOf(request: { getInfo(): wire.ProgramInfo | undefined }): ReturnType<typeof packageManager> {
  return packageManager(parseOptions(fromStruct(request.getInfo()?.getOptions())).packagemanager, folderOf(request));
}

function typescriptVersion(folder: string): string | undefined {
  try {
    const manifest = createRequire(join(folder, "package.json")).resolve("typescript/package.json");
    return readManifest(join(manifest, ".."))?.version;
  } catch {
    return undefined;
  }
}

function dependencies(folder: string, transitive: boolean): { name: string; version: string }[] {
  const own = readManifest(folder);
  const direct = new Set(Object.keys({ ...own?.dependencies, ...own?.devDependencies }));
  return installedPackages(folder).flatMap((found) => {
    const { name, version } = readManifest(found) ?? {};
    return name !== undefined && version !== undefined && (transitive || direct.has(name)) ? [{ name, version }] : [];
  });
}

function installDependencies(
  call: grpc.ServerWritableStream<wire.InstallDependenciesRequest, wire.InstallDependenciesResponse>,
): void {
  const write = (data: Buffer, channel: "stdout" | "stderr"): void => {
    const response = new wire.InstallDependenciesResponse();
    if (channel === "stdout") response.setStdout(data);
    else response.setStderr(data);
    call.write(response);
  };
  const work = async (): Promise<void> => {
    write(Buffer.from("Installing dependencies...\n\n"), "stdout");
    await install(managerOf(call.request), folderOf(call.request), write);
    write(Buffer.from("Finished installing dependencies\n\n"), "stdout");
  };
  work().then(
    () => {
      call.end();
    },
    (thrown: unknown) => {
      call.emit("error", { code: grpc.status.UNKNOWN, details: errorText(thrown) });
    },
  );
}

serve(LanguageRuntimeService, {
  handshake: unary((request: wire.LanguageHandshakeRequest) => {
    engine = request.getEngineAddress();
    return new wire.LanguageHandshakeResponse();
  }),
  getPluginInfo: unary(() => {
    const info = new PluginInfo();
    info.setVersion(STAND_IN_VERSION);
    return info;
  }),
  getRequiredPackages: unary((request: wire.GetRequiredPackagesRequest) => {
    const response = new wire.GetRequiredPackagesResponse();
    for (const plugin of requiredPlugins(folderOf(request))) {
      const dependency = new PackageDependency();
      dependency.setName(plugin.name);
      dependency.setKind("resource");
      dependency.setVersion(plugin.version);
      dependency.setServer(plugin.server);
      if (plugin.parameterization) {
        const parameters = new PackageParameterization();
        parameters.setName(plugin.parameterization.name);
        parameters.setVersion(plugin.parameterization.version);
        parameters.setValue(plugin.parameterization.value);
        dependency.setParameterization(parameters);
      }
      response.addPackages(dependency);
    }
    return response;
  }),
  run: unary(async (request: wire.RunRequest) => {
    try {
      return await runProgram(request, engine, cancel.signal);
    } catch (thrown) {
      const response = new wire.RunResponse();
      response.setError(errorText(thrown));
      return response;
    }
  }),
  installDependencies,
  runPlugin: runPolicyPack,
  getProgramDependencies: unary((request: wire.GetProgramDependenciesRequest) => {
    const response = new wire.GetProgramDependenciesResponse();
    for (const { name, version } of dependencies(folderOf(request), request.getTransitivedependencies())) {
      const dependency = new wire.DependencyInfo();
      dependency.setName(name);
      dependency.setVersion(version);
      response.addDependencies(dependency);
    }
    return response;
  }),
  about: unary((request: wire.AboutRequest) => {
    const response = new wire.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    const metadata = response.getMetadataMap();
    metadata.set("packagemanager", managerOf(request));
    const typescript = typescriptVersion(folderOf(request));
    if (typescript !== undefined) metadata.set("typescriptVersion", typescript);
    return response;
  }),
  runtimeOptionsPrompts: unary(() => new wire.RuntimeOptionsResponse()),
  template: unary(() => new wire.TemplateResponse()),
  cancel: unary(() => {
    cancel.abort();
    return new Empty();
  }),
});
