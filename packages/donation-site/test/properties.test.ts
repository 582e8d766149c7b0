// The properties of the design that are of a part alone, each with at least a hundred cases; properties-site.test.ts has the others.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { readConfig, roleOf } from "../src/config";
import { LinuxDo } from "../src/linux-do";
import { belongsTo } from "../src/new-api";
import { Store } from "../src/store";
import { newToken, tokenHash } from "../src/tokens";
import { hostileText } from "../../../test/support/hostile";

const runs = { numRuns: 100 };
const text = hostileText.filter((value) => value !== "");
const id = fc.integer({ min: 1, max: 2 ** 31 });
const url = fc.webUrl({ validSchemes: ["https"] });

test("1. the address of the login carries what OAuth asks for, exactly, and a state and challenge of its own", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(text, url, url, async (clientId, redirectUri, authUrl) => {
      const linuxDo = new LinuxDo({
        clientId,
        clientSecret: "s",
        redirectUri,
        authUrl,
        tokenUrl: authUrl,
        userUrl: authUrl,
      });
      const begun = await linuxDo.begin();
      const asked = new URL(begun.url);
      expect(asked.origin + asked.pathname).toBe(new URL(authUrl).origin + new URL(authUrl).pathname);
      expect(Object.fromEntries(asked.searchParams)).toMatchObject({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        state: begun.state,
        code_challenge: createHash("sha256").update(begun.verifier).digest("base64url"),
        code_challenge_method: "S256",
      });
      expect(Buffer.from(begun.state, "base64url").length).toBeGreaterThanOrEqual(32);
      expect(seen.has(begun.state)).toBe(false);
      seen.add(begun.state);
    }),
    runs,
  );
});

const configuration = fc.record({
  clientId: text,
  clientSecret: text,
  redirectUri: url,
  adminIds: fc.array(id, { maxLength: 5 }),
  quotaAmount: id,
  managementKey: text,
  adminToken: text,
});

test("2. a configuration is read as it was written, and a missing key is named without any value", () => {
  fc.assert(
    fc.property(configuration, fc.constantFrom("linux-do-connect", "model-proxy", "donation"), (given, missing) => {
      const file = {
        "linux-do-connect": {
          "client-id": given.clientId,
          "client-secret": given.clientSecret,
          "redirect-uri": given.redirectUri,
        },
        "admin-linux-do-ids": given.adminIds,
        donation: { "quota-amount": given.quotaAmount },
        "model-proxy": { url: "http://proxy:8317", "management-key": given.managementKey },
      };
      const env = { NEW_API_BASE_URL: "https://api.example.com//", NEW_API_ADMIN_TOKEN: given.adminToken };
      expect(readConfig(stringify(file), env)).toEqual({
        oauth: {
          clientId: given.clientId,
          clientSecret: given.clientSecret,
          redirectUri: given.redirectUri,
          authUrl: "https://connect.linux.do/oauth2/authorize",
          tokenUrl: "https://connect.linux.do/oauth2/token",
          userUrl: "https://connect.linux.do/api/user",
        },
        origin: new URL(given.redirectUri).origin,
        adminIds: given.adminIds,
        quotaAmount: given.quotaAmount,
        modelProxy: { url: "http://proxy:8317", managementKey: given.managementKey },
        newApi: { baseUrl: "https://api.example.com", adminToken: given.adminToken, adminUser: undefined },
      });
      const rest = Object.fromEntries(Object.entries(file).filter(([key]) => key !== missing));
      expect(() => readConfig(stringify(rest), { ...env, NEW_API_BASE_URL: undefined })).toThrow(
        `configuration: ${missing}: invalid_type; NEW_API_BASE_URL: invalid_type`,
      );
    }),
    runs,
  );
});

test("3. a new-api user belongs to a login only when its Linux Do id is the same, letter for letter", () => {
  const near = (value: number) =>
    fc.constantFrom(` ${value}`, `${value} `, `0${value}`, `+${value}`, `${value}.0`, `${value}0`, "", "null");
  fc.assert(
    fc.property(id, fc.oneof(id.map(String), fc.string()), (own, other) => {
      expect(belongsTo(own, { linuxDoId: String(own) })).toBe(true);
      expect(belongsTo(own, { linuxDoId: other })).toBe(other === String(own));
    }),
    runs,
  );
  fc.assert(
    fc.property(
      id.chain((own) => fc.tuple(fc.constant(own), near(own))),
      ([own, other]) => {
        expect(belongsTo(own, { linuxDoId: other })).toBe(false);
      },
    ),
    runs,
  );
});

test("4. bindings are after a restart what they were before, and no new-api user has two", () => {
  const folder = mkdtempSync(join(tmpdir(), "bindings-"));
  const small = fc.integer({ min: 1, max: 6 });
  let number = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(small, small), { maxLength: 12 }), (binds) => {
      const path = join(folder, `${number++}.db`);
      const model = new Map<number, number>();
      const store = new Store(path);
      for (const [linuxDo, newApi] of binds) {
        const taken = [...model].some(([other, user]) => user === newApi && other !== linuxDo);
        expect(store.bind(linuxDo, newApi)).toBe(!taken);
        if (!taken) model.set(linuxDo, newApi);
      }
      store.close();
      const again = new Store(path);
      for (let linuxDo = 1; linuxDo <= 6; linuxDo++) expect(again.binding(linuxDo)).toBe(model.get(linuxDo));
      again.close();
    }),
    runs,
  );
  rmSync(folder, { recursive: true });
});

test("7. tokens have 32 random bytes, no two are the same, and the store holds none of them", () => {
  const store = new Store(":memory:");
  const seen = new Set<string>();
  fc.assert(
    fc.property(id, (linuxDo) => {
      for (const token of [newToken(), store.openSession({ linuxDo, username: "x" })]) {
        expect(Buffer.from(token, "base64url")).toHaveLength(32);
        expect(seen.has(token)).toBe(false);
        expect(store.session(tokenHash(token))).toBeUndefined();
        seen.add(token);
      }
    }),
    { numRuns: 500 },
  );
});

test("9. a visitor who is not listed has the role user", () => {
  fc.assert(
    fc.property(id, fc.array(id), (linuxDo, adminIds) => {
      expect(roleOf(linuxDo, { adminIds: adminIds.filter((each) => each !== linuxDo) })).toBe("user");
    }),
    runs,
  );
});

test("10. a visitor who is listed has the role admin", () => {
  fc.assert(
    fc.property(id, fc.array(id), fc.array(id), (linuxDo, before, after) => {
      expect(roleOf(linuxDo, { adminIds: [...before, linuxDo, ...after] })).toBe("admin");
    }),
    runs,
  );
});
