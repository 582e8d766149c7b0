// The gateway takes the configuration that the program renders and refuses everything else by name, in Authelia's words.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDuration } from "../../stand-ins/authelia/config/duration";
import type { Environment } from "../../stand-ins/authelia/config/load";
import { loadConfig } from "../../stand-ins/authelia/config/load";
import { accepted, changed, goodConfig, refused } from "./gateway-cases";

const folder = { path: mkdtempSync(join(tmpdir(), "gateway-config-")), port: 19000, redisPort: 6379 };
const file = join(folder.path, "configuration.yml");
const secret = (name: string, text: string): string => {
  writeFileSync(join(folder.path, name), text);
  return join(folder.path, name);
};
const env: Environment = {
  AUTHELIA_SESSION_SECRET_FILE: secret("session", "session-secret\n"),
  AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: secret("storage", "encryption-key-of-some-length\n"),
};
const load = (text: string, environment: Environment = env): ReturnType<typeof loadConfig> => {
  writeFileSync(file, text);
  return loadConfig(file, environment);
};
afterAll(() => {
  rmSync(folder.path, { recursive: true });
});

describe("takes", () => {
  for (const [about, changes] of accepted)
    test(about, () => {
      expect(load(changed(folder, changes)).errors).toEqual([]);
    });
});

describe("refuses", () => {
  for (const [about, changes, complaint] of refused)
    test(about, () => {
      expect(load(changed(folder, changes)).errors.join("\n")).toContain(complaint);
    });

  test.each([
    ["a key given twice", "theme: auto\ntheme: dark\n"],
    ["text that is no YAML", "theme: [auto\n"],
  ])("%s", (_, text) => {
    expect(load(goodConfig(folder).replace("theme: auto\n", text)).errors.join("\n")).toContain("yaml");
  });
});

describe("secrets from files", () => {
  test("lose their trailing newline and fill in the missing keys", () => {
    const { config } = load(goodConfig(folder));
    expect(config?.session.secret).toBe("session-secret");
    expect(config?.storage.encryption_key).toBe("encryption-key-of-some-length");
  });

  test("may not also stand in the file", () => {
    const { errors } = load(goodConfig(folder).replace("session:\n", "session:\n  secret: twice\n"));
    expect(errors).toContainEqual(
      expect.stringContaining("'session.secret': it's already defined in other configuration sources"),
    );
  });

  test("must exist", () => {
    const { errors } = load(goodConfig(folder), { ...env, AUTHELIA_SESSION_SECRET_FILE: "/nowhere/session" });
    expect(errors.join("\n")).toContain("error loading secret path /nowhere/session into key 'session.secret'");
    expect(errors.join("\n")).toContain("session: option 'secret' is required when using the 'redis' provider");
  });

  test("are required: no encryption key, no start", () => {
    expect(load(goodConfig(folder), {}).errors).toContain("storage: option 'encryption_key' is required");
  });

  test("are those of the program, and no others", () => {
    const name = "AUTHELIA_SESSION_REDIS_PASSWORD_FILE";
    expect(load(goodConfig(folder), { ...env, [name]: "/x" }).errors).toEqual([
      `configuration environment variable not expected: ${name}`,
    ]);
  });

  test("a key of 19 characters is too short, one of 20 is not", () => {
    const withKey = (text: string): readonly string[] =>
      load(goodConfig(folder), { ...env, AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: secret("key", text) }).errors;
    expect(withKey("x".repeat(19))).toEqual(["storage: option 'encryption_key' must be 20 characters or longer"]);
    expect(withKey("x".repeat(20))).toEqual([]);
  });
});

test.each([
  ["300", 300_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["2w", 1_209_600_000],
  ["1M", 2_592_000_000],
  ["soon", undefined],
  ["5 parsecs", undefined],
  ["1 hour", undefined],
  ["-5m", undefined],
])("the duration %s", (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});
