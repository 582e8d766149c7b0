// The gateway takes what Authelia 4.39.20 takes and refuses, by name, what it refuses. The table was put to the real one by hand.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDuration } from "../../stand-ins/authelia/config/duration";
import type { Environment } from "../../stand-ins/authelia/config/load";
import { loadConfig } from "../../stand-ins/authelia/config/load";
import { compileRe2 } from "../../stand-ins/authelia/config/re2";
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
  return loadConfig([file], environment);
};
afterAll(() => {
  rmSync(folder.path, { recursive: true });
});

describe("takes", () => {
  for (const change of accepted)
    test(change[0], () => {
      expect(load(changed(goodConfig(folder), folder, change)).problems.errors).toEqual([]);
    });
});

describe("refuses", () => {
  for (const [about, from, to, complaint] of refused)
    test(about, () => {
      const { errors } = load(changed(goodConfig(folder), folder, [about, from, to])).problems;
      expect(errors.join("\n").toLowerCase()).toContain(complaint.toLowerCase());
    });
});

describe("secrets from files", () => {
  test("lose their trailing newline and fill in the missing keys", () => {
    const { config } = load(goodConfig(folder));
    expect(config.session.secret).toBe("session-secret");
    expect(config.storage.encryptionKey).toBe("encryption-key-of-some-length");
  });

  test("may not also stand in the file", () => {
    const { errors } = load(goodConfig(folder).replace("session:\n", "session:\n  secret: twice\n")).problems;
    expect(errors).toContainEqual(
      expect.stringContaining("'session.secret': it's already defined in other configuration sources"),
    );
  });

  test("must exist", () => {
    const { errors } = load(goodConfig(folder), { ...env, AUTHELIA_SESSION_SECRET_FILE: "/nowhere/session" }).problems;
    expect(errors.join("\n")).toContain("error loading secret path /nowhere/session into key 'session.secret'");
    expect(errors.join("\n")).toContain("session: option 'secret' is required when using the 'redis' provider");
  });

  test("are required: no encryption key, no start", () => {
    expect(load(goodConfig(folder), {}).problems.errors).toContain("storage: option 'encryption_key' is required");
  });

  test("a key of 19 characters is too short, one of 20 is not", () => {
    const withKey = (text: string): readonly string[] =>
      load(goodConfig(folder), { ...env, AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: secret("key", text) }).problems.errors;
    expect(withKey("x".repeat(19))).toEqual(["storage: option 'encryption_key' must be 20 characters or longer"]);
    expect(withKey("x".repeat(20))).toEqual([]);
  });
});

test.each([
  ["300", 300_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1 hour and 30 minutes", 5_400_000],
  ["2w", 1_209_600_000],
  ["1M", 2_592_000_000],
  ["soon", undefined],
  ["5 parsecs", undefined],
  ["-5m", undefined],
])("the duration %s", (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(["(?!x)", "(?<=x)y", "(?<!x)y", "(a)\\1", "\\k<a>", "\\y", "[]", "[^]", "a{1001}", "(?x)a", "a\\"])(
  "RE2 has no %s",
  (pattern) => {
    expect(compileRe2(pattern)).toHaveProperty("fault");
  },
);

test.each([
  ["^/v1([/?].*)?$", "/v1/x", true],
  ["^/v1([/?].*)?$", "/v12", false],
  ["(?i)^/API/", "/api/x", true],
  ["^/(?P<name>\\w+)$", "/x", true],
  ["\\A/x\\z", "/x", true],
  ["a\\/b\\-c\\.d", "a/b-c.d", true],
])("the pattern %s on %s", (pattern, text, expected) => {
  const compiled = compileRe2(pattern);
  expect("pattern" in compiled && compiled.pattern.test(text)).toBe(expected);
});
