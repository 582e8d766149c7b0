import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { renderTemplate } from "../../components/stack/template";
import { projectRoot } from "../support/project-root";
import { removeShells, shells } from "../support/shells";

interface User {
  readonly displayname: string;
  readonly password: string;
  readonly email: string;
  readonly groups: readonly string[];
}
type Users = Readonly<Record<string, User>>;

const seed = join(projectRoot, "stack-templates/auth-gateway/seed.sh");
const admit = join(projectRoot, "stack-templates/people/admit.sh");
const template = readFileSync(join(projectRoot, "stack-templates/auth-gateway/operator.yml.hbs"), "utf8");
const hash = (of: string) => `$argon2id$v=19$m=1,t=1,p=1$${of}$x+/y`;

/** In place of Authelia: keeps what it is asked for, and says what the real one says of somebody who has no authenticator app. */
const fakeAuthelia = `#!/bin/sh
echo "\${*:-serves}" >>"$LOG"
case "$*" in
  "storage user totp delete jo") [ ! -e "$BROKEN" ] || { echo "Error: the database is locked" >&2; exit 1; } ;;
  "storage user totp delete"*) echo "Error: failed to delete TOTP configuration for user '$5': no TOTP configuration for user" >&2; exit 1 ;;
  "storage migrate up") exit 1 ;;
esac
`;

afterAll(removeShells);

describe.each(shells())("accounts of people, with $name", ({ command: [command, ...first], path }) => {
  let folder: string;
  let tools: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "people-"));
    tools = mkdtempSync(join(tmpdir(), "people-tools-"));
    writeFileSync(join(tools, "authelia"), fakeAuthelia, { mode: 0o755 });
    // Authelia has run here before.
    writeFileSync(join(folder, "db.sqlite3"), "a database");
  });
  afterEach(() => {
    for (const each of [folder, tools]) rmSync(each, { recursive: true });
  });
  const file = (name: string) => join(folder, name);
  const users = () =>
    (parse(readFileSync(file("users.yml"), "utf8"), { uniqueKeys: true, strict: true }) as { users: Users }).users;
  const passwords = () => Object.fromEntries(Object.entries(users()).map(([name, { password }]) => [name, password]));
  /** As Authelia writes the file after a change in the portal. */
  const rewritten = (changes: Readonly<Record<string, string>>, indent = 4) => {
    const all = users();
    const changed = Object.entries(all).map(([name, user]) => [
      name,
      { ...user, password: changes[name] ?? user.password },
    ]);
    writeFileSync(
      file("users.yml"),
      stringify({ users: Object.fromEntries(changed) as Users }, { indent, lineWidth: 0 }),
    );
  };

  /** Puts the accounts of a release into place; gives what the script says where it fails. */
  function put(
    people: readonly string[],
    { operator = "admin", passwords: own = {} }: { operator?: string; passwords?: Record<string, string> } = {},
  ) {
    const entry = mkdtempSync(join(tmpdir(), "entry-"));
    const values = {
      username: operator,
      email: `${operator}@example.com`,
      people: people.map((name) => ({ name, mail: `${name}@example.com`, secret: `hash-of-${name}` })),
      secrets: {
        passwordHash: hash("first-of-the-operator"),
        earlierHash: hash("earlier"),
        ...Object.fromEntries(people.map((name) => [`hash-of-${name}`, own[name] ?? hash(`first-of-${name}`)])),
      },
    };
    writeFileSync(join(entry, "operator.yml"), renderTemplate(template, values), { mode: 0o400 });
    writeFileSync(join(entry, "key"), "key", { mode: 0o400 });
    const done = spawnSync(command, [...first, seed, join(entry, "operator.yml"), folder, join(entry, "key")], {
      env: { PATH: path },
      encoding: "utf8",
    });
    rmSync(entry, { recursive: true });
    return done.status === 0 ? undefined : done.stderr;
  }
  /** What stands between the two: sessions end where that is asked for. Gives whether it is. */
  const forgotten = () => {
    const asked = existsSync(file(".forget"));
    rmSync(file(".forget"), { force: true });
    return asked;
  };
  const logged = () =>
    existsSync(join(tools, "log")) ? readFileSync(join(tools, "log"), "utf8").trimEnd().split("\n") : [];
  /** A start of Authelia; gives what it was asked to do, `serves` where it is the server. */
  function start(): string[] {
    rmSync(join(tools, "log"), { force: true });
    execFileSync(command, [...first, admit], {
      env: { PATH: `${tools}:${path}`, CONFIG: folder, LOG: join(tools, "log"), BROKEN: join(tools, "broken") },
      stdio: "pipe",
    });
    return logged();
  }
  const up = (people: readonly string[], more?: Parameters<typeof put>[1]) => {
    expect(put(people, more)).toBeUndefined();
    return { ended: forgotten(), asked: start() };
  };
  const cleared = (name: string) => [
    "storage migrate up",
    `storage user webauthn delete ${name} --all`,
    `storage user totp delete ${name}`,
    "serves",
  ];

  it("a new person has an account only once nothing of a former one is left", () => {
    expect(put(["jo"])).toBeUndefined();
    expect(Object.keys(users())).toEqual(["admin"]);
    expect(start()).toEqual(cleared("jo"));
    expect(users()["jo"]).toMatchObject({
      displayname: "jo",
      password: hash("first-of-jo"),
      email: "jo@example.com",
      groups: ["people"],
    });
    expect(users()["admin"]?.groups).toEqual(["admins"]);
    expect(start()).toEqual(["serves"]);
  });

  it("at the first start of all there is nothing to clear", () => {
    rmSync(file("db.sqlite3"));
    expect(up(["jo"])).toEqual({ ended: false, asked: ["serves"] });
    expect(Object.keys(users())).toEqual(["admin", "jo"]);
  });

  it.each([2, 4])(
    "passwords that were changed in the portal stay when somebody else is added or removed, with indentation %d",
    (indent) => {
      up(["jo"]);
      rewritten({ jo: hash("portal-of-jo"), admin: hash("portal-of-admin") }, indent);
      expect(up(["jo", "mia"])).toEqual({ ended: false, asked: cleared("mia") });
      expect(passwords()).toEqual({
        admin: hash("portal-of-admin"),
        jo: hash("portal-of-jo"),
        mia: hash("first-of-mia"),
      });
      up(["jo"]);
      expect(passwords()).toEqual({ admin: hash("portal-of-admin"), jo: hash("portal-of-jo") });
    },
  );

  it("a removed person is gone from the file before Authelia starts, and the last one, too", () => {
    up(["jo", "mia"]);
    put(["mia"]);
    expect(Object.keys(users())).toEqual(["admin", "mia"]);
    put([]);
    expect(Object.keys(users())).toEqual(["admin"]);
    expect(existsSync(file(".people.yml"))).toBe(false);
  });

  it("a name that comes back has the first password, and the sessions of who had it end before", () => {
    up(["jo", "mia"]);
    rewritten({ jo: hash("portal-of-jo") });
    up(["mia"]);
    expect(put(["jo", "mia"])).toBeUndefined();
    // Not yet: as after a loss of power, when nothing has ended the sessions.
    expect(start()).toEqual(["serves"]);
    expect(Object.keys(users())).toEqual(["admin", "mia"]);
    expect(forgotten()).toBe(true);
    expect(start()).toEqual(cleared("jo"));
    expect(passwords()["jo"]).toBe(hash("first-of-jo"));
  });

  it("that is so also when nobody was left in between", () => {
    up(["jo"]);
    up([]);
    expect(up(["jo"])).toEqual({ ended: true, asked: cleared("jo") });
  });

  it("a user who was added by hand stays, until people has that name: then it is another's account", () => {
    up(["jo"]);
    const all = { ...users(), zoe: { ...users()["jo"], password: hash("zoe") } };
    writeFileSync(file("users.yml"), stringify({ users: all }, { indent: 4, lineWidth: 0 }));
    up(["jo", "mia"]);
    expect(passwords()["zoe"]).toBe(hash("zoe"));
    expect(up(["jo", "mia", "zoe"])).toEqual({ ended: true, asked: cleared("zoe") });
    expect(passwords()["zoe"]).toBe(hash("first-of-zoe"));
  });

  it("a person may have the operator's former name, with nothing of the operator's", () => {
    up([]);
    expect(up(["admin"], { operator: "boss" })).toEqual({ ended: true, asked: cleared("admin") });
    expect(users()["admin"]).toMatchObject({ password: hash("first-of-admin"), groups: ["people"] });
    expect(users()["boss"]?.groups).toEqual(["admins"]);
  });

  it.each([
    ["in the same step", () => undefined],
    ["later", () => up([])],
  ])("an operator never gets the name of a person, whose sessions would be the operator's: %s", (_, between) => {
    up(["jo"]);
    between();
    const before = readFileSync(file("users.yml"), "utf8");
    expect(put([], { operator: "jo" })).toContain("adminUsername is jo, which was a person's name (people)");
    expect(readFileSync(file("users.yml"), "utf8")).toBe(before);
  });

  it("a database that cannot be cleared gives nobody an account", () => {
    up([]);
    put(["jo"]);
    writeFileSync(join(tools, "broken"), "");
    expect(() => start()).toThrow("the database is locked");
    expect(Object.keys(users())).toEqual(["admin"]);
    rmSync(join(tools, "broken"));
    expect(start()).toEqual(cleared("jo"));
    expect(Object.keys(users())).toEqual(["admin", "jo"]);
  });

  it("another first password of a person replaces one of the portal", () => {
    up(["jo"]);
    rewritten({ jo: hash("portal-of-jo") });
    up(["jo"], { passwords: { jo: hash("second-of-jo") } });
    expect(passwords()["jo"]).toBe(hash("second-of-jo"));
  });

  it("what is there of an interrupted start never becomes the users file", () => {
    up(["jo"]);
    const before = readFileSync(file("users.yml"), "utf8");
    for (const half of ["users.yml.new", "users.yml.admitted", ".people.yml.new"]) writeFileSync(file(half), "users:");
    put(["jo"]);
    expect(readFileSync(file("users.yml"), "utf8")).toBe(before);
  });

  it("an empty users file, as a full disk leaves it, is written again, and nobody loses a second factor", () => {
    up(["jo"]);
    writeFileSync(file("users.yml"), "");
    expect(up(["jo"])).toEqual({ ended: false, asked: ["serves"] });
    expect(Object.keys(users())).toEqual(["admin", "jo"]);
  });

  it("names that contain one another are told apart", () => {
    up(["jo", "jo-x"]);
    rewritten({ "jo-x": hash("portal") });
    up(["jo-x", "o"]);
    expect(passwords()).toEqual({
      admin: hash("first-of-the-operator"),
      "jo-x": hash("portal"),
      o: hash("first-of-o"),
    });
  });
});
