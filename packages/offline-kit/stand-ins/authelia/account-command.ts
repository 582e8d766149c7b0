// Stand-in for Authelia 4.39.20: `authelia storage user totp generate|delete`, `… user webauthn list|delete` and `… bans user|ip
// list|revoke`, in the real one's words; the page of usage after an error is shorter.
import type { Config } from "./config/schema";
import { newSecret, otpauthUrl } from "./http/totp";
import { Store } from "./state/store";

interface Flags {
  readonly force?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly kid?: string | undefined;
  readonly id?: string | undefined;
  readonly secret?: string | undefined;
}

export function accountCommand(words: readonly string[], flags: Flags, config: Config): number {
  const [area, kind, action, subject] = words;
  const store = new Store(config.storage.local.path, config.storage.encryption_key);
  store.open();
  switch (`${area ?? ""} ${kind ?? ""} ${action ?? ""}`) {
    case "user totp generate":
      if (subject === undefined) break;
      return generateTotp(store, config.totp.issuer, subject, flags);
    case "user totp delete":
      if (subject === undefined) break;
      return deleteTotp(store, subject);
    case "user webauthn list":
      return listPasskeys(store, subject);
    case "user webauthn delete":
      return deletePasskeys(store, subject, flags);
    case "bans user list":
    case "bans ip list":
      return listBans(store, kind === "ip");
    case "bans user revoke":
    case "bans ip revoke":
      return revokeBan(store, kind === "ip" ? "ip" : "user", subject, flags.id);
  }
  return failed(`unknown command "storage ${words.join(" ")}" for "authelia"`);
}

/** Every error is followed by how the command is used. */
const usage = `Usage:
  authelia storage [command] [flags]

Flags:
  -h, --help   help

Global Flags:
  -c, --config strings          configuration files
      --encryption-key string   the storage encryption key

`;

function failed(words: string): number {
  process.stderr.write(`Error: ${words}\n${usage}`);
  return 1;
}

function generateTotp(store: Store, issuer: string, username: string, { force = false, secret }: Flags): number {
  if (store.read().totp[username] && !force)
    return failed(`${username} already has a TOTP configuration, use --force to overwrite`);
  const record = { secret: secret ?? newSecret(), spent: [] };
  store.update((state) => {
    state.totp[username] = record;
  });
  process.stdout.write(
    `Successfully generated TOTP configuration for user '${username}' with URI '${otpauthUrl(record.secret, issuer, username)}'\n`,
  );
  return 0;
}

function listPasskeys(store: Store, username: string | undefined): number {
  const found = store.read().credentials.filter((one) => username === undefined || one.username === username);
  if (username === undefined) {
    process.stdout.write("WebAuthn Credentials:\n\n");
    if (found.length === 0) return failed("no WebAuthn credentials in database");
    const rows = found.map(({ id, rpId, kid, description, username: name }) => [id, rpId, kid, description, name]);
    process.stdout.write(table(4, [["ID", "RPID", "KID", "Description", "Username"], ...rows]));
    return 0;
  }
  if (found.length === 0) return failed(`user '${username}' has no WebAuthn credentials`);
  const rows = found.map(({ id, kid, description }) => [id, kid, description]);
  process.stdout.write(`WebAuthn Credentials for user '${username}':\n\n`);
  process.stdout.write(table(4, [["ID", "KID", "Description"], ...rows]));
  return 0;
}

/** By key id, or all of a user: the real one's other flag is not known here. */
function deletePasskeys(store: Store, username: string | undefined, { kid, all = false }: Flags): number {
  if (all && username !== undefined) {
    store.update((state) => {
      state.credentials = state.credentials.filter((one) => one.username !== username);
    });
    process.stdout.write(`Successfully deleted all WebAuthn credentials for user '${username}'\n`);
    return 0;
  }
  if (kid === undefined)
    return failed(
      username === undefined
        ? "must supply one of the username or the --kid"
        : "must supply one of the flags --all, --description, or --kid",
    );
  store.update((state) => {
    state.credentials = state.credentials.filter((one) => one.kid !== kid);
  });
  // Faithfully silent about a key id that nobody has.
  process.stdout.write(`Successfully deleted WebAuthn credential with key id '${kid}'\n`);
  return 0;
}

function deleteTotp(store: Store, username: string): number {
  if (store.read().totp[username] === undefined)
    return failed(`failed to delete TOTP configuration for user '${username}': no TOTP configuration for user`);
  store.update((state) => {
    Reflect.deleteProperty(state.totp, username);
  });
  process.stdout.write(`Successfully deleted TOTP configuration for user '${username}'\n`);
  return 0;
}

/** Only addresses are ever banned. */
function listBans(store: Store, ofAddresses: boolean): number {
  const bans = ofAddresses ? store.read().bans.filter((ban) => ban.expires > Date.now()) : [];
  const until = (time: number) => new Date(time).toISOString().slice(0, 19).replace("T", " ");
  const rows = bans.map(({ id, ip, expires }) => [id, ip, until(expires), "regulation", "Exceeding Maximum Retries"]);
  const heading = ["ID", "IP", "Expires", "Source", "Reason"];
  process.stdout.write(rows.length === 0 ? "No results.\n" : table(1, [heading, ...rows]));
  return 0;
}

/** Faithfully silent: a value that is not banned leaves a table without rows, and success. */
function revokeBan(store: Store, kind: "user" | "ip", value: string | undefined, id: string | undefined): number {
  if (value === undefined && id === undefined)
    return failed(`either the ${kind === "user" ? "username" : "ip"} or id is required`);
  const bans = kind === "ip" ? store.read().bans : [];
  const found = bans.filter((ban) =>
    id === undefined ? ban.ip === value && ban.expires > Date.now() : ban.id === Number(id),
  );
  if (id !== undefined && found.length === 0)
    return failed(`error selecting banned ${kind} with id '${id}': sql: no rows in result set`);
  store.update((state) => {
    state.bans = state.bans.filter((ban) => !found.some((one) => one.id === ban.id));
    // The real one looks at bans that were revoked too: attempts before one no longer count.
    state.attempts = state.attempts.filter((one) => !found.some((ban) => ban.ip === one.ip));
  });
  const rows = found.map((ban) => [ban.id, ban.ip, "SUCCESS", "N/A"]);
  process.stdout.write(table(1, [["ID", kind === "user" ? "Username" : "IP", "Result", "Information"], ...rows]));
  return 0;
}

/** Columns padded with spaces, but for the last. */
function table(padding: number, rows: readonly (readonly (string | number)[])[]): string {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)) + padding) ?? [];
  const line = (row: readonly (string | number)[]) =>
    row.map((cell, column) => (column === row.length - 1 ? String(cell) : String(cell).padEnd(widths[column] ?? 0)));
  return rows.map((row) => `${line(row).join("")}\n`).join("");
}
