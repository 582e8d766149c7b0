import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";

export interface Listening {
  readonly url: string;
  stop(): void;
}

/** Serves at a free port of this machine. */
export async function listen(app: Hono, hostname = "127.0.0.1"): Promise<Listening> {
  const server = serve({ fetch: app.fetch, port: 0, hostname }) as Server;
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
