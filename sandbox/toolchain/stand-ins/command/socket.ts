import { connect } from "node:net";
import type { Socket } from "node:net";

interface Address {
  readonly host: string;
  readonly port: number;
  readonly perDialTimeoutSeconds: number;
}

const TCP_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "read: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
  ENOTFOUND: "lookup: no such host",
};

/** Opens a TCP connection; failures read like those of Go's net package. */
export function openSocket({ host, port, perDialTimeoutSeconds }: Address, cancelled: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const socket = connect({ host, port, noDelay: true });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(`dial tcp ${address}: ${reason}`));
    };
    const cancel = (): void => {
      fail("operation was canceled");
    };
    const timer = perDialTimeoutSeconds > 0 ? setTimeout(fail, perDialTimeoutSeconds * 1000, "i/o timeout") : undefined;
    cancelled.addEventListener("abort", cancel);
    const settle = (): void => {
      clearTimeout(timer);
      cancelled.removeEventListener("abort", cancel);
    };
    socket.once("error", (error: NodeJS.ErrnoException) => {
      settle();
      fail(TCP_ERRORS[error.code ?? ""] ?? error.message);
    });
    socket.once("connect", () => {
      settle();
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
