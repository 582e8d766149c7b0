// Stand-in for Authelia 4.39.20: `authelia storage user totp generate|delete`, `… user webauthn list|delete` and `… bans user|ip
// list|revoke`, in the real one's words; the page of usage after an error is shorter.
import { randomBytes } from "node:crypto";
import type { GatewayConfig } from "./config/types";
import { otpauthUrl, toBase32 } from "./http/totp";
import { Store } from "./state/store";

/** What stands behind `storage`: words, and the values of flags. */
interface Request {
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

const withValue = ["--kid", "--description", "--id", "--secret"];

function parse(args: readonly string[]): Request {
  const words: string[] = [];
  const flags = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    const [name = "", value] = word.split(/=(.*)/s);
    if (!word.startsWith("-")) words.push(word);
    else if (withValue.includes(name)) flags.set(name, value ?? args[++i] ?? "");
    else flags.set(name, "");
  }
  return { words, flags };
}

export function accountCommand(args: readonly string[], config: GatewayConfig): number {
  const { words, flags } = parse(args);
  const [area, kind, action, subject] = words;
  const store = new Store(config.storage.path, config.storage.encryptionKey);
  store.open();
  switch (`${area ?? ""} ${kind ?? ""} ${action ?? ""}`) {
    case "user totp generate":
      if (subject === undefined) break;
      return generateTotp(store, config, subject, flags.has("--force") || flags.has("-f"), flags.get("--secret"));
    case "user totp delete":
      if (subject === undefined) break;
      return deleteTotp(store, subject);
    case "user webauthn list":
      return listPasskeys(store, subject);
    case "user webauthn delete":
      return deletePasskeys(store, subject, flags);
    case "bans user list":
      return listBans(store, "user");
    case "bans ip list":
      return listBans(store, "ip");
    case "bans user revoke":
      return revokeBan(store, "user", subject, flags.get("--id"));
    case "bans ip revoke":
      return revokeBan(store, "ip", subject, flags.get("--id"));
  }
  return failed(`unknown command "storage ${args.join(" ")}" for "authelia"`);
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

function generateTotp(
  store: Store,
  { totp }: GatewayConfig,
  username: string,
  force: boolean,
  secret: string | undefined,
): number {
  if (store.read().totp[username] && !force) {
    return failed(`${username} already has a TOTP configuration, use --force to overwrite`);
  }
  const { issuer, algorithm, digits, period } = totp;
  const record = {
    createdAt: new Date().toISOString(),
    issuer,
    algorithm,
    digits,
    period,
    secret: secret ?? toBase32(randomBytes(totp.secretSize)),
  };
  store.update((state) => {
    state.totp[username] = record;
  });
  process.stdout.write(
    `Successfully generated TOTP configuration for user '${username}' with URI '${otpauthUrl(record, issuer, username)}'\n`,
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

/** By key id alone, or of a user by description or all of them; without any of those flags it refuses, as the real one. */
function deletePasskeys(store: Store, username: string | undefined, flags: ReadonlyMap<string, string>): number {
  const kid = flags.get("--kid");
  const description = flags.get("--description");
  if (kid === undefined && username === undefined) return failed("must supply one of the username or the --kid");
  if (kid === undefined && description === undefined && !flags.has("--all"))
    return failed("must supply one of the flags --all, --description, or --kid");
  store.update((state) => {
    state.credentials = state.credentials.filter((one) => {
      if (kid !== undefined) return one.kid !== kid;
      return one.username !== username || (description !== undefined && one.description !== description);
    });
  });
  // Faithfully silent about a key id that nobody has.
  process.stdout.write(
    kid !== undefined
      ? `Successfully deleted WebAuthn credential with key id '${kid}'\n`
      : description === undefined
        ? `Successfully deleted all WebAuthn credentials for user '${username ?? ""}'\n`
        : `Successfully deleted WebAuthn credential with description '${description}' for user '${username ?? ""}'\n`,
  );
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

const columns = { user: "Username", ip: "IP" } as const;

function listBans(store: Store, kind: "user" | "ip"): number {
  const bans = store.read().bans.filter((ban) => ban.kind === kind && ban.expires > Date.now());
  const until = (time: number) => new Date(time).toISOString().slice(0, 19).replace("T", " ");
  const rows = bans.map(({ id, value, expires }) => [
    id,
    value,
    until(expires),
    "regulation",
    "Exceeding Maximum Retries",
  ]);
  process.stdout.write(
    rows.length === 0 ? "No results.\n" : table(1, [["ID", columns[kind], "Expires", "Source", "Reason"], ...rows]),
  );
  return 0;
}

/** Faithfully silent: a value that is not banned leaves a table without rows, and success. */
function revokeBan(store: Store, kind: "user" | "ip", value: string | undefined, id: string | undefined): number {
  if (value === undefined && id === undefined)
    return failed(`either the ${kind === "user" ? "username" : "ip"} or id is required`);
  const now = Date.now();
  const { bans } = store.read();
  const found = bans.filter((ban) =>
    id === undefined ? ban.kind === kind && ban.value === value && ban.expires > now : ban.id === Number(id),
  );
  if (id !== undefined && found.length === 0)
    return failed(`error selecting banned ${kind} with id '${id}': sql: no rows in result set`);
  store.update((state) => {
    state.bans = state.bans.filter((ban) => !found.some((one) => one.id === ban.id));
    // The real one looks at bans that were revoked too: attempts before one no longer count.
    const lifted = found.map((ban) => ban.value);
    state.attempts = state.attempts.filter((one) => !lifted.includes(kind === "user" ? one.username : one.ip));
  });
  const rows = found.map((ban) => [ban.id, ban.value, "SUCCESS", "N/A"]);
  process.stdout.write(table(1, [["ID", columns[kind], "Result", "Information"], ...rows]));
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
