import { bcryptVerify } from "hash-wasm";
import type { ValueMap } from "../../toolchain/stand-ins/plugin/values";
import { Secret, text, Unknown } from "../../toolchain/stand-ins/plugin/values";
import type { Plugin } from "../../compare/plugin";
import { startPlugin } from "../../compare/plugin";

jest.setTimeout(30_000);

const PASSWORD = "random:index/randomPassword:RandomPassword";
const BYTES = "random:index/randomBytes:RandomBytes";

let plugin: Plugin;
beforeAll(async () => {
  plugin = await startPlugin("random");
});
afterAll(() => {
  plugin.stop();
});

async function password(inputs: Record<string, string | number | boolean>): Promise<string> {
  return text((await plugin.create(PASSWORD, inputs))["result"]) ?? "";
}

describe("RandomPassword", () => {
  it("is secret, as long as asked, and comes with a bcrypt hash of it", async () => {
    const outputs = await plugin.create(PASSWORD, { length: 40 });
    expect(outputs).toMatchObject({ id: "none", length: 40, special: true, numeric: true, number: true, minUpper: 0 });
    expect(outputs["result"]).toBeInstanceOf(Secret);
    expect(outputs["bcryptHash"]).toBeInstanceOf(Secret);
    const result = text(outputs["result"]) ?? "";
    expect(result).toMatch(/^[A-Za-z0-9!@#$%&*()\-_=+[\]{}<>:?]{40}$/);
    expect(await bcryptVerify({ password: result, hash: text(outputs["bcryptHash"]) ?? "" })).toBe(true);
  });

  it("keeps to the kinds of characters that were asked for", async () => {
    expect(await password({ length: 30, special: false })).toMatch(/^[A-Za-z0-9]{30}$/);
    expect(await password({ length: 30, lower: false, upper: false, special: false })).toMatch(/^[0-9]{30}$/);
    expect(await password({ length: 30, numeric: false, upper: false, overrideSpecial: "_-", minSpecial: 5 })).toMatch(
      /^(?=(.*[_-]){5})[a-z_-]{30}$/,
    );
  });

  it("has at least the asked number of each kind", async () => {
    const result = await password({ length: 8, minLower: 2, minUpper: 2, minNumeric: 2, minSpecial: 2 });
    for (const kind of [/[a-z]/g, /[A-Z]/g, /[0-9]/g, /[^a-zA-Z0-9]/g]) expect(result.match(kind)).toHaveLength(2);
  });

  it("refuses lengths that cannot be", async () => {
    const failures = async (inputs: ValueMap, type = PASSWORD) => (await plugin.check(type, inputs)).failures;
    const words = "Invalid Attribute Value. Attribute length value must be at least";
    expect(await failures({ length: 0 })).toEqual([`: ${words} 1, got: 0. Examine values at 'thing.length'.`]);
    expect(await failures({ length: 3, minLower: 4 })).toEqual([
      `: ${words} sum of min_upper + min_lower + min_numeric + min_special, got: 3. Examine values at 'thing.length'.`,
    ]);
    expect(await failures({ length: 0 }, BYTES)).toEqual([`: ${words} 1, got: 0. Examine values at 'thing.length'.`]);
    for (const missing of [await failures({}), await failures({ minLower: 4 })]) {
      expect(missing).toHaveLength(1);
      expect(missing[0]).toMatch(/^: Missing required property 'length': The length of the string desired\./);
    }
  });

  it("is replaced when an input changes, but not when a default is written down", async () => {
    const changed = await plugin.diff(
      PASSWORD,
      { length: 20, keepers: { a: "1" } },
      { length: 21, keepers: { a: "2" } },
    );
    expect(changed).toEqual({ changed: true, kinds: {}, replaces: ["keepers", "length"] });
    expect((await plugin.diff(PASSWORD, { length: 20 }, { length: 20, special: true })).changed).toBe(false);
  });
});

describe("RandomBytes", () => {
  it("gives the same secret bytes in both notations", async () => {
    const outputs = await plugin.create(BYTES, { length: 33 });
    expect(outputs["base64"]).toBeInstanceOf(Secret);
    const bytes = Buffer.from(text(outputs["base64"]) ?? "", "base64");
    expect(bytes).toHaveLength(33);
    expect(text(outputs["hex"])).toBe(bytes.toString("hex"));
  });

  it("is unknown in a preview", async () => {
    const preview = await plugin.preview(BYTES, { length: 33 });
    expect(preview["hex"]).toBeInstanceOf(Unknown);
    expect(preview["base64"]).toBeInstanceOf(Unknown);
    expect(preview["id"]).toBeUndefined();
  });
});
