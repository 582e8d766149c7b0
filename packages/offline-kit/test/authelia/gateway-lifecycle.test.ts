// What outlives a request: the users file, the database with its key, sessions in Redis, bans, and the command line next to it all.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";
import { createHasher, runArgon2 } from "../../stand-ins/authelia/users/hash";
import { codeAt, currentStep } from "../../../../test/browser/one-time-password";
import { domain, goodConfig } from "./gateway-cases";
import type { Running } from "./gateway-kit";
import { authelia, elevate, gatewayFolder, password, startGateway, startRedis, Visitor } from "./gateway-kit";

jest.setTimeout(60_000);

let redis: Running;
let folder: Awaited<ReturnType<typeof gatewayFolder>>;
let gateway: Running;

beforeAll(async () => {
  const redisPort = await freePort();
  redis = await startRedis(redisPort);
  folder = await gatewayFolder(redisPort);
  gateway = await startGateway(folder);
});
afterAll(async () => {
  await gateway.stop();
  await redis.stop();
  folder.remove();
});

test("a changed password is written into the users file, and nobody else's line changes", async () => {
  const visitor = new Visitor(folder.port);
  await visitor.signIn("bob");
  await elevate(visitor, folder);
  const change = (old_password: string, new_password: string): Promise<{ status: number }> =>
    visitor.api("POST", "/api/change-password", { old_password, new_password });
  const hashes = (): string[] =>
    [...readFileSync(join(folder.path, "users.yml"), "utf8").matchAll(/password: "?(\$argon2id\S+?)"?\n/g)].map(
      (one) => one[1] ?? "",
    );
  const before = hashes();
  expect((await change("wrong", "An0ther one")).status).toBe(401);
  expect((await change(password, password)).status).toBe(400);
  expect((await change(password, "An0ther one")).status).toBe(200);
  const after = hashes();
  expect(after).toHaveLength(3);
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
  expect(await createHasher(runArgon2).verify("An0ther one", after[1] ?? "")).toBe(true);
  const fresh = new Visitor(folder.port);
  expect((await fresh.signIn("bob")).status).toBe(401);
  expect((await fresh.signIn("bob", "An0ther one")).status).toBe(200);
  expect((await fresh.signIn("admin")).status).toBe(200);
  await elevate(visitor, folder);
  expect((await change("An0ther one", password)).status).toBe(200);
});

test("somebody taken out of the users file is out at the next request", async () => {
  const path = join(folder.path, "users.yml");
  const visitor = new Visitor(folder.port);
  await visitor.signIn("bob");
  const before = readFileSync(path, "utf8");
  try {
    await gateway.stop();
    writeFileSync(path, before.replace(/ {2,4}bob:\n(?: {4,}.*\n)+/, ""));
    gateway = await startGateway(folder);
    expect((await visitor.forwardAuth(`one.${domain}`)).status).toBe(302);
  } finally {
    writeFileSync(path, before);
    await gateway.stop();
    gateway = await startGateway(folder);
  }
});

test("a restart keeps everybody signed in, because sessions live in Redis", async () => {
  const visitor = new Visitor(folder.port);
  await visitor.signIn("admin");
  await gateway.stop();
  gateway = await startGateway(folder);
  expect((await visitor.forwardAuth(`one.${domain}`)).headers["remote-user"]).toBe("admin");
});

test("a stop answers what has begun, and soon ends although a connection is open", async () => {
  const open = connect(folder.port, "127.0.0.1");
  open.on("error", () => undefined);
  await once(open, "connect");
  const begun = new Visitor(folder.port).signIn("admin");
  await sleep(20);
  const start = Date.now();
  await gateway.stop();
  expect((await begun).status).toBe(200);
  expect(Date.now() - start).toBeLessThan(9000);
  open.destroy();
  gateway = await startGateway(folder);
});

test("five wrong passwords ban their address for every user, and no other address", async () => {
  const visitor = new Visitor(folder.port, "192.0.2.66");
  for (let attempt = 0; attempt < 5; attempt++) expect((await visitor.signIn("bob", "wrong")).status).toBe(401);
  expect((await visitor.signIn("bob")).status).toBe(401);
  expect((await new Visitor(folder.port, "192.0.2.66").signIn("admin")).status).toBe(401);
  expect((await new Visitor(folder.port).signIn("bob")).status).toBe(200);
});

describe("the command line", () => {
  test("validates", async () => {
    expect(await authelia(folder, "config", "validate")).toMatchObject({
      status: 0,
      stdout: "Configuration parsed and loaded successfully without errors.\n\n",
    });
    const broken = join(folder.path, "broken.yml");
    writeFileSync(broken, goodConfig(folder).replace("theme: auto", "theme: pink"));
    const refused = await authelia(folder, "config", "validate", "--config", broken);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toContain("option 'theme' must be one of");
  });

  test("tells its version", async () => {
    expect((await authelia(folder, "--version")).stdout).toBe("authelia version v4.39.20\n");
  });

  test("makes a one-time password for a user while the server runs", async () => {
    const made = await authelia(folder, "storage", "user", "totp", "generate", "admin", "--force");
    const secret = /secret=([A-Z2-7]+)/.exec(made.stdout)?.[1] ?? "";
    const visitor = new Visitor(folder.port);
    await visitor.signIn("admin");
    expect(
      (await visitor.api("POST", "/api/secondfactor/totp", { token: codeAt(secret, currentStep() - 1) })).status,
    ).toBe(200);
  });
});

test("starts where its Redis closes the first connections, as a busy machine does", async () => {
  let closed = 0;
  const busy = createServer((socket) => {
    socket.destroy();
    closed += 1;
    if (closed === 2) busy.close();
  });
  const port = await listen(busy);
  let late: Running | undefined;
  busy.on("close", () => {
    void startRedis(port).then((started) => (late = started));
  });
  const own = await gatewayFolder(port);
  try {
    const started = await startGateway(own);
    expect(closed).toBe(2);
    await started.stop();
  } finally {
    await late?.stop();
    own.remove();
  }
});

describe("does not start", () => {
  test("without its Redis", async () => {
    const own = await gatewayFolder(await freePort());
    await expect(startGateway(own)).rejects.toThrow("provider=session");
    own.remove();
  });

  const startFails = async (text: string): Promise<void> => {
    const started = startGateway({ ...folder, port: await freePort() });
    await expect(started).rejects.toThrow(text);
  };

  test("with another encryption key than its database has", async () => {
    const file = join(folder.path, "storage");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, randomBytes(24).toString("hex"));
    try {
      await startFails("the configured encryption key does not appear to be valid for this database");
    } finally {
      writeFileSync(file, before);
    }
  });

  test.each([
    ["a hash of another kind", "$2y$10$abcdefghijklmnopqrstuu", "password hash"],
    ["a display name missing", "", "displayname"],
  ])("with %s in the users file", async (_, hash, complaint) => {
    const file = join(folder.path, "users.yml");
    const before = readFileSync(file, "utf8");
    writeFileSync(
      file,
      hash === "" ? before.replace(/displayname: .*/, 'displayname: ""') : before.replace(/\$argon2id[^"\n]*/, hash),
    );
    try {
      await startFails(complaint);
    } finally {
      writeFileSync(file, before);
    }
  });
});
