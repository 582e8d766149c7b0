import { readFileSync } from "node:fs";
import { type AddressInfo, type Server, createServer } from "node:net";
import { listeningPorts } from "../support/listening-ports";

test("the ports that others reach are read from the kernel's own table, those of loopback addresses are not", async () => {
  const servers: Server[] = [];
  const listen = (host: string) =>
    new Promise<number>((resolve) => {
      const server = createServer();
      servers.push(server);
      server.listen(0, host, () => {
        resolve((server.address() as AddressInfo).port);
      });
    });
  const open = [await listen("0.0.0.0"), await listen("::")];
  const closed = [await listen("127.0.0.1"), await listen("127.0.0.11"), await listen("::1")];
  const found = listeningPorts(["tcp", "tcp6"].map((name) => readFileSync(`/proc/self/net/${name}`, "utf8")).join(""));
  for (const server of servers) server.close();
  expect(found).toEqual(expect.arrayContaining(open));
  expect(found.filter((port) => closed.includes(port))).toEqual([]);
});
