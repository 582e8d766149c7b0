import * as grpc from "@grpc/grpc-js";

/** Options for both directions: a release of half a megabyte must pass through a property. */
export const UNLIMITED = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

/** The text of whatever was thrown. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Turns a function into a gRPC handler that answers errors as the Go plugins do. */
export function unary<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answer = async (): Promise<Response> => handle(call.request);
    answer().then(
      (response) => {
        callback(null, response);
      },
      (thrown: unknown) => {
        callback({ code: grpc.status.UNKNOWN, details: errorText(thrown) });
      },
    );
  };
}

/** Serves on a free port, tells it to the engine on the first line, and ends when the engine is gone. */
export function serve(service: grpc.ServiceDefinition, handlers: grpc.UntypedServiceImplementation): void {
  const server = new grpc.Server(UNLIMITED);
  server.addService(service, handlers);
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) process.exit(0);
  }, 2000).unref();
}
