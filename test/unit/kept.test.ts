import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import argon2 from "argon2";
import { kept } from "../../components/auth-gateway/kept";
import { runProgram } from "../support/program";
import { archiveOf } from "../support/releases";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kept-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env["CLOUDCODE_BUNDLES"];
  jest.restoreAllMocks();
});

const key = "k".repeat(64);
const input = ["hash 1", "password", "salt"];
const compute = () => jest.fn(() => Promise.resolve("the value"));

it("a run of the program hashes the password only when it, its salt or its stack is another", async () => {
  process.env["CLOUDCODE_BUNDLES"] = folder;
  const hash = jest.spyOn(argon2, "hash");
  const hashesOf = async (password: string, randomness: string) => {
    hash.mockClear();
    const run = await runProgram({ adminPassword: password }, { randomness });
    return { count: hash.mock.calls.length, sent: archiveOf(run, "auth-release").toString("latin1") };
  };
  const first = await hashesOf("pässword number 1", "a");
  expect(first.count).toBe(2);
  expect(await hashesOf("pässword number 1", "a")).toEqual({ count: 0, sent: first.sent });
  expect((await hashesOf("pässword number 2", "a")).count).toBe(2);
  expect((await hashesOf("pässword number 1", "b")).count).toBe(2);
});

it("a kept value and its input can be read by nobody without the key", async () => {
  const slow = compute();
  await kept(key, input, slow, folder);
  const [name = "", ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  const text = name + readFileSync(join(folder, name), "latin1");
  for (const word of ["the value", ...input, key]) expect(text).not.toContain(word);
  await kept("other".repeat(16), input, slow, folder);
  expect(slow).toHaveBeenCalledTimes(2);
  expect(readdirSync(folder)).toHaveLength(2);
});

it("each part of the input counts, and where it ends", async () => {
  const slow = compute();
  for (const other of [input, ["hash 2", "password", "salt"], ["hash 1", "passwords", "alt"]])
    await kept(key, other, slow, folder);
  expect(slow).toHaveBeenCalledTimes(3);
});

it.each(["", "damaged", "x".repeat(100)])("a file that became %j is made again", async (content) => {
  await kept(key, input, compute(), folder);
  const file = join(folder, readdirSync(folder)[0] ?? "");
  writeFileSync(file, content);
  const again = compute();
  expect(await kept(key, input, again, folder)).toBe("the value");
  expect(await kept(key, input, again, folder)).toBe("the value");
  expect(again).toHaveBeenCalledTimes(1);
});

it("a folder that cannot be written to only costs the time of computing", async () => {
  const file = join(folder, "a file");
  writeFileSync(file, "");
  expect(await kept(key, input, compute(), join(file, "below"))).toBe("the value");
});
