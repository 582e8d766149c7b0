import { once } from "node:events";
import { createServer } from "node:net";
import { freePort, listen } from "../../toolchain/ports";

test("free ports of a test file differ, are below those that the kernel gives away, and nothing listens at them", async () => {
  const ports = await Promise.all(Array.from({ length: 200 }, () => freePort()));
  expect(new Set(ports).size).toBe(200);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(32_768);
  }
  const server = createServer().listen(ports[0], "127.0.0.1");
  await once(server, "listening");
  server.close();
});

test("a port where another program listens, on any address, is not given", async () => {
  const taken = (await freePort()) + 1;
  const server = createServer().listen(taken, "127.0.0.1");
  await once(server, "listening");
  expect(await freePort()).not.toBe(taken);
  server.close();
});

test("a server listens where it is asked to", async () => {
  const server = createServer();
  const port = await listen(server);
  expect(server.address()).toMatchObject({ address: "127.0.0.1", port });
  server.close();
});
