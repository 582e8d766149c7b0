// Stand-in for Authelia 4.39.20: the users file, read strictly and rewritten in place on a password change.
import { readFileSync, watchFile, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { parseYaml } from "../config/load";
import type { Tree, Value } from "../config/section";
import { isTree } from "../config/section";
import type { BackendConfig } from "../config/types";
import { decodeArgon2 } from "./hash";

export interface User {
  readonly username: string;
  readonly displayName: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly password: string;
}

/** What the real one writes back for each user, in its order; other keys are not known to it. */
const textKeys = [
  "email",
  "given_name",
  "middle_name",
  "family_name",
  "nickname",
  "gender",
  "birthdate",
  "website",
  "profile",
  "picture",
  "zoneinfo",
  "locale",
  "phone_number",
  "phone_extension",
] as const;
const knownKeys: readonly string[] = ["password", "displayname", "groups", "disabled", "address", "extra", ...textKeys];

export function parseUsers(
  text: string,
  search: Pick<BackendConfig, "searchEmail" | "searchAnyCase">,
): Map<string, User> {
  const tree = parseYaml(text, "error reading the authentication database: could not parse the YAML database:");
  if (typeof tree === "string") throw new Error(tree);
  const list = tree["users"];
  if (!isTree(list) || Object.keys(list).length === 0 || Object.keys(tree).length > 1)
    throw new Error(
      "error reading the authentication database: could not validate the schema: Users: non zero value required",
    );
  const users = new Map(Object.entries(list).map(([name, value]) => [name, parseUser(name, value)]));
  checkAliases(users, search);
  return users;
}

function parseUser(username: string, value: Value): User {
  const fail = (message: string): never => {
    throw new Error(`error decoding the authentication database: user '${username}': ${message}`);
  };
  if (!isTree(value)) return fail("must be a mapping");
  for (const key of Object.keys(value)) if (!knownKeys.includes(key)) fail(`key '${key}' is not expected`);
  for (const key of ["address", "extra"])
    if (Object.keys(value[key] ?? {}).length > 0) fail(`key '${key}' is not supported by this stand-in`);
  const text = (key: string): string => {
    const item = value[key] ?? "";
    return typeof item === "string" ? item : fail(`key '${key}' must be a string`);
  };
  textKeys.forEach(text);
  const displayName = text("displayname");
  if (displayName === "") fail("displayname: non zero value required");
  const groups = value["groups"] ?? [];
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === "string"))
    return fail("key 'groups' must be a list of strings");
  const disabled = value["disabled"] ?? false;
  if (typeof disabled !== "boolean") return fail("key 'disabled' must be true or false");
  const password = text("password");
  if (password === "") fail("password: non zero value required");
  if (!decodeArgon2(password))
    fail("error occurred decoding the password hash: only argon2id is known to this stand-in");
  return { username, displayName, email: text("email"), groups, disabled, password };
}

function checkAliases(
  users: ReadonlyMap<string, User>,
  search: Pick<BackendConfig, "searchEmail" | "searchAnyCase">,
): void {
  const fail = (message: string): never => {
    throw new Error(`error loading authentication database: ${message}`);
  };
  const emails = [...users.values()].map((user) => user.email.toLowerCase()).filter((email) => email !== "");
  if (search.searchEmail) {
    const twice = emails.find((email, index) => emails.indexOf(email) !== index);
    if (twice !== undefined)
      fail(`email '${twice}' is configured for more than one user which isn't allowed when email search is enabled`);
  }
  if (search.searchAnyCase)
    for (const name of users.keys())
      if (name !== name.toLowerCase())
        fail(`username '${name}' is not lowercase but this is required when case-insensitive search is enabled`);
}

/** Pure: the file's text with one password replaced, every other user kept. */
export function withPassword(text: string, username: string, password: string): string {
  const tree = parseYaml(text, "users:");
  const list = typeof tree === "string" ? undefined : tree["users"];
  if (!isTree(list)) throw new Error("the users file cannot be parsed");
  const entries = Object.entries(list).map(([name, value]): [string, Tree] => {
    const user = isTree(value) ? value : {};
    const written: Record<string, Value> = { password: name === username ? password : (user["password"] ?? "") };
    written["displayname"] = user["displayname"] ?? "";
    written["email"] = user["email"] ?? "";
    written["groups"] = user["groups"] ?? [];
    for (const key of textKeys.slice(1)) written[key] = user[key] ?? "";
    // Faithfully wrong: 4.39.20 forgets who was disabled when it rewrites the file.
    written["disabled"] = false;
    written["address"] = null;
    written["extra"] = {};
    return [name, written];
  });
  return stringify(
    { users: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) },
    { indent: 4, lineWidth: 0 },
  );
}

export class UsersFile {
  #users: ReadonlyMap<string, User>;

  constructor(readonly config: BackendConfig) {
    this.#users = parseUsers(readFileSync(config.path, "utf8"), config);
  }

  /** A broken edit is reported and the last good users stay, as in the real one. */
  watch(report: (message: string) => void): void {
    if (!this.config.watch) return;
    watchFile(this.config.path, { interval: 500, persistent: false }, () => {
      try {
        this.#users = parseUsers(readFileSync(this.config.path, "utf8"), this.config);
        report("Reload completed");
      } catch (error) {
        report(`Error occurred during reload: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  find(input: string): User | undefined {
    const lower = input.toLowerCase();
    const users = [...this.#users.values()];
    const user =
      (this.config.searchEmail
        ? users.find((one) => one.email !== "" && one.email.toLowerCase() === lower)
        : undefined) ??
      (this.config.searchAnyCase ? this.#users.get(lower) : undefined) ??
      this.#users.get(input);
    return user?.disabled === true ? undefined : user;
  }

  setPassword(username: string, password: string): void {
    const text = withPassword(readFileSync(this.config.path, "utf8"), username, password);
    writeFileSync(this.config.path, text, { mode: 0o600 });
    this.#users = parseUsers(text, this.config);
  }
}
