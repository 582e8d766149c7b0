import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { renderTemplate } from "../../components/stack/template";
import { hostileText } from "../support/hostile";
import { projectRoot } from "../support/project-root";
import { removeShells, shells } from "../support/shells";

interface User {
  readonly disabled: boolean;
  readonly displayname: string;
  readonly password: string;
  readonly email: string;
  readonly groups: readonly string[];
}
type Users = Readonly<Record<string, User>>;

const script = join(projectRoot, "stack-templates", "auth-gateway", "seed.sh");
const template = readFileSync(join(projectRoot, "stack-templates", "auth-gateway", "operator.yml.hbs"), "utf8");

const user = (name: string, password = `$argon2id$v=19$m=65536,t=3,p=4$${name}$x+/y`): User => ({
  disabled: false,
  displayname: name,
  password,
  email: `${name}@example.com`,
  groups: ["admins"],
});

/** A users file as Authelia writes it: four blanks, its own order of keys, quotes only where they are needed. */
const rewritten = (users: Users, indent = 4) => stringify({ users }, { indent, lineWidth: 0 });

afterAll(removeShells);

describe.each(shells())("with $name", ({ command: [command, ...first], path }) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "seed-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const file = (name: string) => join(folder, name);
  const usersText = () => readFileSync(file("users.yml"), "utf8");
  const users = () => (parse(usersText(), { uniqueKeys: true, strict: true }) as { users: Users }).users;

  /** What a start of the gateway does with the operator's entry of the release. */
  function start(
    username: string,
    password = "$argon2id$first",
    { email = `${username}@example.com`, key = "key-of-the-release", earlierHash = "$argon2id$earlier" } = {},
  ): void {
    const entry = mkdtempSync(join(tmpdir(), "entry-"));
    writeFileSync(
      join(entry, "operator.yml"),
      renderTemplate(template, { username, email, secrets: { passwordHash: password, earlierHash } }),
      // As a release leaves it: a copy of it would be as read-only.
      { mode: 0o400 },
    );
    writeFileSync(join(entry, "key"), key, { mode: 0o400 });
    const paths = [join(entry, "operator.yml"), folder, join(entry, "key")];
    execFileSync(command, [...first, script, ...paths], { env: { PATH: path } });
    rmSync(entry, { recursive: true });
  }

  it("the first start writes the operator, for Authelia alone to read and write", () => {
    start("admin");
    expect(users()).toEqual({ admin: user("admin", "$argon2id$first") });
    expect(statSync(file("users.yml")).mode & 0o777).toBe(0o600);
    if (process.getuid?.() === 0) expect(statSync(file("users.yml")).uid).toBe(8000);
  });

  it.each([2, 4])("a password changed in the portal stays as long as the entry does, with indentation %d", (indent) => {
    start("admin");
    const changed = rewritten({ admin: user("admin", "$argon2id$changed") }, indent);
    writeFileSync(file("users.yml"), changed);
    start("admin");
    expect(usersText()).toBe(changed);
  });

  it("each start has Authelia, which watches the file, read it once more", () => {
    start("admin");
    const before = usersText();
    utimesSync(file("users.yml"), 1, 1);
    start("admin");
    expect(statSync(file("users.yml")).mtimeMs).toBeGreaterThan(1000);
    expect(usersText()).toBe(before);
  });

  it("what a start or a command left half written never becomes the users file", () => {
    start("admin");
    const before = usersText();
    writeFileSync(file("users.yml.new"), "users:");
    start("admin");
    expect(usersText()).toBe(before);
  });

  it.each([2, 4])("a changed entry replaces its own user and no other, with indentation %d", (indent) => {
    start("admin");
    const others = { admin2: user("admin2"), "adm in": user("adm in"), zoe: user("zoe") };
    writeFileSync(
      file("users.yml"),
      rewritten({ anna: user("anna"), admin: user("admin", "$changed"), ...others }, indent),
    );
    start("admin", "$argon2id$second");
    expect(users()).toEqual({ anna: user("anna"), ...others, admin: user("admin", "$argon2id$second") });
  });

  describe("with a password changed in the portal", () => {
    const changed = (name: string, indent = 4) => {
      const users = { anna: user("anna"), [name]: user(name, "$argon2id$v=19$m=65536,t=3,p=4$portal$x+/y") };
      writeFileSync(file("users.yml"), rewritten(users, indent));
    };
    const passwordOf = (name: string) => users()[name]?.password;
    const portal = "$argon2id$v=19$m=65536,t=3,p=4$portal$x+/y";

    it.each([2, 4])("the same password of the release at another cost leaves it, with indentation %d", (indent) => {
      start("admin", "$argon2id$costly");
      changed("admin", indent);
      start("admin", "$argon2id$cheap", { earlierHash: "$argon2id$costly" });
      expect(passwordOf("admin")).toBe(portal);
      // And at every start from then on.
      start("admin", "$argon2id$cheap", { earlierHash: "$argon2id$costly" });
      expect(passwordOf("admin")).toBe(portal);
    });

    it("another address or name of the operator leaves it", () => {
      start("admin");
      changed("admin");
      start("admin", "$argon2id$first", { email: "other@example.com" });
      expect(users()["admin"]).toMatchObject({ password: portal, email: "other@example.com" });
      start("jo", "$argon2id$first");
      expect(users()).toEqual({ anna: user("anna"), jo: user("jo", portal) });
    });

    it.each(['"', "'", ""])("and is found however it is quoted: %s", (quote) => {
      start("admin");
      changed("admin");
      writeFileSync(file("users.yml"), usersText().replace(/password: (.*portal.*)/, `password: ${quote}$1${quote}`));
      start("admin", "$argon2id$cheap", { earlierHash: "$argon2id$first" });
      expect(passwordOf("admin")).toBe(portal);
    });

    it("another password of the release replaces it, also one that comes at another cost", () => {
      start("admin");
      changed("admin");
      start("admin", "$argon2id$second");
      expect(passwordOf("admin")).toBe("$argon2id$second");
      changed("admin");
      start("admin", "$argon2id$cheap third", { earlierHash: "$argon2id$costly third" });
      expect(passwordOf("admin")).toBe("$argon2id$cheap third");
    });
  });

  it("a password that nobody changed gets the new cost", () => {
    start("admin", "$argon2id$costly");
    writeFileSync(file("users.yml"), rewritten({ admin: user("admin", "$argon2id$costly"), zoe: user("zoe") }));
    start("admin", "$argon2id$cheap", { earlierHash: "$argon2id$costly" });
    expect(users()).toEqual({ zoe: user("zoe"), admin: user("admin", "$argon2id$cheap") });
  });

  it("a renamed operator takes the place of the old one, other users stay", () => {
    start("admin");
    writeFileSync(file("users.yml"), rewritten({ admin: user("admin", "$changed"), zoe: user("zoe") }));
    start("jo", "$argon2id$second");
    expect(users()).toEqual({ zoe: user("zoe"), jo: user("jo", "$argon2id$second") });
    start("admin", "$argon2id$third");
    expect(Object.keys(users())).toEqual(["zoe", "admin"]);
  });

  it("an operator whose name was another user's before is that user from then on", () => {
    start("admin");
    writeFileSync(file("users.yml"), rewritten({ admin: user("admin"), jo: user("jo") }));
    start("jo", "$argon2id$second");
    expect(users()).toEqual({ jo: user("jo", "$argon2id$second") });
  });

  it.each(["null", "true", "y", "on-1", "no"])("an operator called %s is found in each way of quoting", (name) => {
    start(name);
    writeFileSync(file("users.yml"), rewritten({ [name]: user(name, "$changed"), zoe: user("zoe") }));
    start(name, "$argon2id$second");
    writeFileSync(file("users.yml"), usersText().replace(`"${name}":`, `'${name}':`));
    start(name, "$argon2id$third");
    expect(users()).toEqual({ zoe: user("zoe"), [name]: user(name, "$argon2id$third") });
  });

  it("a user whose name only begins with the operator's stays", () => {
    start("jo");
    writeFileSync(file("users.yml"), rewritten({ "jo doe": user("jo doe"), jo: user("jo") }));
    start("jo", "$argon2id$second");
    expect(Object.keys(users())).toEqual(["jo doe", "jo"]);
  });

  it("keys of a user that are called like the operator are not taken for them", () => {
    start("email");
    writeFileSync(file("users.yml"), rewritten({ zoe: user("zoe"), email: user("email", "$changed") }));
    start("email", "$argon2id$second");
    expect(users()).toEqual({ zoe: user("zoe"), email: user("email", "$argon2id$second") });
  });

  it("an empty users file, as a full disk leaves it, is written again", () => {
    start("admin");
    writeFileSync(file("users.yml"), "");
    start("admin");
    expect(Object.keys(users())).toEqual(["admin"]);
  });

  it("leaves no half-written file behind", () => {
    start("admin");
    start("admin", "$argon2id$second");
    expect(readdirSync(folder).sort()).toEqual([".operator.yml", "encryption-key", "users.yml"]);
  });

  it("the database keeps the key that it was made with, whatever key a later stack has", () => {
    start("admin");
    start("admin", "$argon2id$first", { key: "key-of-a-later-stack" });
    expect(readFileSync(file("encryption-key"), "utf8")).toBe("key-of-the-release");
    expect(statSync(file("encryption-key")).mode & 0o777).toBe(0o600);
    if (process.getuid?.() === 0) expect(statSync(file("encryption-key")).uid).toBe(8000);
  });

  it("an empty key, as a full disk leaves it, is written again", () => {
    writeFileSync(file("encryption-key"), "");
    start("admin");
    expect(readFileSync(file("encryption-key"), "utf8")).toBe("key-of-the-release");
  });

  it("whatever other users are called and have set, they stay as they are", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}$/).filter((text) => text !== "admin");
    const text = hostileText.map((words) => words.replace(/[\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]/gu, " "));
    const others = fc.dictionary(name, fc.tuple(text, text), { maxKeys: 5 });
    fc.assert(
      fc.property(others, fc.constantFrom(2, 4), (found, indent) => {
        rmSync(folder, { recursive: true });
        folder = mkdtempSync(join(tmpdir(), "seed-"));
        start("admin");
        const kept = Object.fromEntries(
          Object.entries(found).map(([key, [displayname, email]]) => [key, { ...user(key), displayname, email }]),
        );
        writeFileSync(file("users.yml"), rewritten({ admin: user("admin", "$changed"), ...kept }, indent));
        start("admin", "$argon2id$second");
        expect(users()).toEqual({ ...kept, admin: user("admin", "$argon2id$second") });
      }),
      { numRuns: 60, verbose: true },
    );
  });
});
