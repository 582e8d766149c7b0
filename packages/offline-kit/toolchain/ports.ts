import { once } from "node:events";
import { type Server, createServer } from "node:net";
import type { AddressInfo } from "node:net";

// The kernel takes the ports of outgoing connections, and of servers that ask for port 0, from 32768 on
// (net.ipv4.ip_local_port_range). A port below it stays free until the program that it was found for listens there.
const first = 10_000;
const perWorker = 2_000;
const workers = 11;

const worker = (Number(process.env["JEST_WORKER_ID"] ?? 1) - 1) % workers;
let next = Math.floor(Math.random() * perWorker);

/** A TCP port of 127.0.0.1 that nothing listens at. No other test file that runs now is given it, and no connection takes it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < perWorker; tries++) {
    next = (next + 1) % perWorker;
    const port = first + worker * perWorker + next;
    if (await isFree(port)) return port;
  }
  throw new Error("no port of this worker is free");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** @returns the port of 127.0.0.1 where the server now listens */
export async function listen(server: Server, address = "127.0.0.1"): Promise<number> {
  server.listen(0, address);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
