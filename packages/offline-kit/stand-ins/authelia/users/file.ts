// Stand-in for Authelia 4.39.20: the users file, read strictly and rewritten in place on a password change.
import { readFileSync, watchFile, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import * as z from "zod";
import { parseYaml } from "../config/load";
import { reasonOf } from "../log";
import { decodeArgon2 } from "./hash";

/** Keys that only the real one writes, when it rewrites the file: this stand-in takes and writes them empty. */
const emptyKeys = (
  "given_name middle_name family_name nickname gender birthdate website profile picture zoneinfo locale " +
  "phone_number phone_extension"
).split(" ");
const needed = z.string().min(1, "non zero value required");
const entry = z.strictObject({
  ...Object.fromEntries(emptyKeys.map((key) => [key, z.literal("").optional()])),
  address: z.null().optional(),
  extra: z.strictObject({}).optional(),
  displayname: needed,
  email: z.string().default(""),
  groups: z.array(z.string()).default([]),
  disabled: z.boolean().default(false),
  password: needed.refine(
    (hash) => decodeArgon2(hash) !== undefined,
    "error occurred decoding the password hash: only argon2id is known to this stand-in",
  ),
});
const file = z.strictObject({ users: z.record(z.string(), entry) });

export type User = { readonly username: string } & Readonly<z.infer<typeof entry>>;

/** Throws what is wrong with the file, in the real one's words. */
export function parseUsers(text: string): Map<string, User> {
  const tree = parseYaml(text, "error reading the authentication database: could not parse the YAML database:");
  if (typeof tree === "string") throw new Error(tree);
  const { data, error } = file.safeParse(tree);
  if (error) throw new Error(error.issues.map(faultOf).join("; "));
  if (Object.keys(data.users).length === 0) throw new Error(faultOf({ path: [], message: "non zero value required" }));
  return new Map(Object.entries(data.users).map(([username, user]) => [username, { username, ...user }]));
}

function faultOf({
  path: [, username, ...keys],
  message,
}: {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}): string {
  if (username === undefined)
    return `error reading the authentication database: could not validate the schema: Users: ${message}`;
  const key = keys.length === 0 ? "" : `${keys.map(String).join(".")}: `;
  return `error decoding the authentication database: user '${String(username)}': ${key}${message}`;
}

/** Pure: the file's text with one password replaced, every other user kept. */
export function withPassword(text: string, username: string, password: string): string {
  const entries = [...parseUsers(text).values()].map((user): [string, object] => [
    user.username,
    {
      password: user.username === username ? password : user.password,
      displayname: user.displayname,
      email: user.email,
      groups: user.groups,
      ...Object.fromEntries(emptyKeys.map((key) => [key, ""])),
      // Faithfully wrong: 4.39.20 forgets who was disabled when it rewrites the file.
      disabled: false,
      address: null,
      extra: {},
    },
  ]);
  return stringify(
    { users: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) },
    { indent: 4, lineWidth: 0 },
  );
}

export class UsersFile {
  #users: ReadonlyMap<string, User>;

  constructor(readonly path: string) {
    this.#users = parseUsers(readFileSync(path, "utf8"));
  }

  /** A broken edit is reported and the last good users stay, as in the real one. */
  watch(report: (message: string) => void): void {
    watchFile(this.path, { interval: 500, persistent: false }, () => {
      try {
        this.#users = parseUsers(readFileSync(this.path, "utf8"));
        report("Reload completed");
      } catch (error) {
        report(`Error occurred during reload: ${reasonOf(error)}`);
      }
    });
  }

  find(username: string): User | undefined {
    const user = this.#users.get(username);
    return user?.disabled === true ? undefined : user;
  }

  setPassword(username: string, password: string): void {
    const text = withPassword(readFileSync(this.path, "utf8"), username, password);
    writeFileSync(this.path, text, { mode: 0o600 });
    this.#users = parseUsers(text);
  }
}
