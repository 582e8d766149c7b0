// The control API and HTTPS on the port of HTTP, as another process uses them.
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { z } from "zod";
import { call, signedQuery } from "../testing/client";
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";

const bin = join(__dirname, "../bin/alicloud-emulator.mjs");

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

async function control(method: string, path: string, body?: unknown, port = emulator.port): Promise<unknown> {
  const options = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(`http://127.0.0.1:${port}/__control/${path}`, options);
  return { status: answer.status, body: z.unknown().parse(await answer.json()) };
}

test("a fault is set, listed, has its effect and is cleared", async () => {
  await control("POST", "faults", { kind: "quota", action: "CreateVpc" });
  expect(await control("GET", "faults")).toMatchObject({ body: [{ kind: "quota", action: "CreateVpc" }] });
  expect(await call(emulator.port, "vpc", "CreateVpc")).toMatchObject({ body: { Code: "QuotaExceeded.Vpc" } });
  await control("DELETE", "faults");
  expect(await call(emulator.port, "vpc", "CreateVpc")).toMatchObject({ status: 200 });
});

test("inventory, calls, operation, policy and latencies are reachable", async () => {
  await control("DELETE", "calls");
  await control("PUT", "operation", "destroy");
  await control("PUT", "policy", { Version: "1", Statement: [{ Effect: "Allow", Action: "ecs:*", Resource: "*" }] });
  expect(await call(emulator.port, "vpc", "CreateVpc")).toMatchObject({ body: { Code: "Forbidden.RAM" } });
  await control("DELETE", "policy");
  await call(emulator.port, "vpc", "CreateVpc", { VpcName: "home" });
  await control("POST", "idle");
  expect(await control("GET", "inventory")).toMatchObject({ body: [{}, { kind: "vpcs", name: "home", tags: {} }] });
  expect(await control("GET", "calls")).toMatchObject({ body: [{ code: "Forbidden.RAM" }, { operation: "destroy" }] });
  expect(await control("GET", "violations")).toEqual({ status: 200, body: [] });
});

test.each([
  ["POST", "faults", { kind: "nonsense" }, 400],
  ["PUT", "policy", { Version: "1", Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }] }, 400],
  ["GET", "nonsense", undefined, 404],
])("%s %s with what it cannot use is refused", async (method, path, body, status) => {
  expect(await control(method, path, body)).toMatchObject({ status });
});

test("HTTPS is answered on the same port with a certificate for 127.0.0.1", async () => {
  const url = `https://127.0.0.1:${emulator.port}/?${signedQuery("sts", "GetCallerIdentity", {}).toString()}`;
  const curl = await promisify(execFile)("curl", ["-sS", "--cacert", emulator.certificateFile, "-X", "POST", url]);
  expect(JSON.parse(curl.stdout)).toMatchObject({ IdentityType: "RAMUser" });
});

test("as a process it says where it is, answers, and ends when it is asked to", async () => {
  const child = spawn(process.execPath, [bin, "--domain", "mine.example"]);
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const line = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
  const { port } = z.object({ port: z.number() }).parse(JSON.parse(line));
  const domains = { KeyWord: "mine.example", SearchMode: "EXACT" };
  expect(await call(port, "alidns", "DescribeDomains", domains)).toMatchObject({ body: { TotalCount: 1 } });
  await control("POST", "stop", undefined, port);
  expect(await exit).toBe(0);
});
