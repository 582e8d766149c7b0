import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Addresses, lowestFree } from "../../sandbox/cloud/addresses";
import { seedFiles } from "../../sandbox/cloud/seed";
import { Turns } from "../../sandbox/cloud/turns";

describe("addresses of the emulated cloud", () => {
  test("the lowest free one is given, and a full network is an error", () => {
    expect(lowestFree("10.213.7.1", ["10.213.7.2", "10.213.7.4"])).toBe("10.213.7.3");
    const all = Array.from({ length: 253 }, (_, index) => `10.213.7.${index + 2}`);
    expect(() => lowestFree("10.213.7.1", all)).toThrow("All addresses of 10.213.7.0/24 are taken.");
  });

  test("what was given is remembered by the next process", () => {
    const folder = mkdtempSync(join(tmpdir(), "addresses-"));
    try {
      const first = new Addresses(folder).allocate("10.213.7.1");
      expect(new Addresses(folder).allocate("10.213.7.1")).not.toBe(first);
      new Addresses(folder).release(first);
      expect(new Addresses(folder).allocate("10.213.7.1")).toBe(first);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("a machine's seed names it, lets the keys in and keeps the user data as it is", () => {
  const userData = "#cloud-config\nssh_deletekeys: true\n";
  const files = seedFiles({ instanceId: "i-1", hostName: "one", userData, publicKeys: ["ssh-ed25519 AAAA a"] });
  const text = (end: string) => files.find(({ path }) => path.endsWith(end))?.text ?? "";
  expect(JSON.parse(text("/meta-data"))).toEqual({
    "instance-id": "i-1",
    "local-hostname": "one",
    "public-keys": ["ssh-ed25519 AAAA a"],
  });
  expect(text("/user-data")).toBe(userData);
});

test("work on one thing waits for its turn, also after a failure; work on another does not", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = turns.take("a", async () => {
    await gate;
    seen.push("first");
    throw new Error("failed");
  });
  const second = turns.take("a", () => Promise.resolve(seen.push("second")));
  await turns.take("b", () => Promise.resolve(seen.push("other")));
  open();
  await expect(first).rejects.toThrow("failed");
  await second;
  expect(seen).toEqual(["other", "first", "second"]);
});
