import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import * as wire from "@pulumi/pulumi/proto/language_pb";
import { errorText } from "../plugin/rpc";

/** Runs a policy pack, the one kind of plugin that the stand-in knows, until the engine ends it. */
export function runPolicyPack(call: grpc.ServerWritableStream<wire.RunPluginRequest, wire.RunPluginResponse>): void {
  const { request } = call;
  const fail = (details: string) => call.emit("error", { code: grpc.status.UNIMPLEMENTED, details });
  if (request.getKind() !== "analyzer") {
    fail(
      `The stand-in for pulumi-language-nodejs runs no plugins of the kind ${request.getKind()}; the official one does.`,
    );
    return;
  }
  const folder = request.getInfo()?.getProgramDirectory() ?? request.getProgram();
  let runner: string;
  try {
    runner = createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
  } catch (error) {
    fail(errorText(error));
    return;
  }
  const env = Object.fromEntries(
    request.getEnvList().map((line) => [line.split("=", 1)[0] ?? "", line.replace(/^[^=]*=/, "")]),
  );
  const child = spawn("node", [runner, ...request.getArgsList(), folder], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  call.on("cancelled", end);
  child.stdout.on("data", (data: Buffer) => {
    const response = new wire.RunPluginResponse();
    response.setStdout(data);
    call.write(response);
  });
  child.stderr.on("data", (data: Buffer) => {
    const response = new wire.RunPluginResponse();
    response.setStderr(data);
    call.write(response);
  });
  child.on("close", (code) => {
    process.removeListener("exit", end);
    const response = new wire.RunPluginResponse();
    response.setExitcode(code ?? 1);
    call.write(response);
    call.end();
  });
}
