// Stand-in for Authelia 4.39.20: `authelia storage user totp generate|delete`, `… user webauthn list|delete` and `… bans user|ip
// list|revoke`. What the tables look like is its own.
import { randomBytes } from "node:crypto";
import type { GatewayConfig } from "./config/types";
import { otpauthUrl, toBase32 } from "./http/totp";
import { Store } from "./state/store";

/** What stands behind `storage`: words, and the values of flags. */
interface Request {
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

const withValue = ["--kid", "--description"];

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
      return generateTotp(store, config, subject, flags.has("--force") || flags.has("-f"));
    case "user totp delete":
      return subject === undefined ? 1 : deleteTotp(store, subject);
    case "user webauthn list":
      return listPasskeys(store, subject);
    case "user webauthn delete":
      return deletePasskeys(store, subject, flags);
    case "bans user list":
      return listBans(store, "user");
    case "bans ip list":
      return listBans(store, "ip");
    case "bans user revoke":
      return revokeBan(store, "user", subject);
    case "bans ip revoke":
      return revokeBan(store, "ip", subject);
  }
  return failed(`unknown command "storage ${args.join(" ")}" for "authelia"`);
}

function failed(words: string): number {
  process.stderr.write(`Error: ${words}\n`);
  return 1;
}

function generateTotp(store: Store, { totp }: GatewayConfig, username: string, force: boolean): number {
  if (store.read().totp[username] && !force) {
    process.stderr.write("Error: user already has a TOTP configuration, use --force to overwrite\n");
    return 1;
  }
  const { issuer, algorithm, digits, period } = totp;
  const record = {
    createdAt: new Date().toISOString(),
    issuer,
    algorithm,
    digits,
    period,
    secret: toBase32(randomBytes(totp.secretSize)),
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
  process.stdout.write(
    `ID\tKID\tUsername\tDescription\n${found.map((one) => `${one.id}\t${one.kid}\t${one.username}\t${one.description}\n`).join("")}`,
  );
  return 0;
}

/** By key id alone, or of a user by description or all of them; without any of those flags it refuses, as the real one. */
function deletePasskeys(store: Store, username: string | undefined, flags: ReadonlyMap<string, string>): number {
  const kid = flags.get("--kid");
  const description = flags.get("--description");
  if (kid === undefined && username === undefined) return failed("must supply one of the username or the --kid");
  if (kid === undefined && description === undefined && !flags.has("--all"))
    return failed("must supply one of the flags --all, --description, or --kid");
  const before = store.read().credentials.length;
  store.update((state) => {
    state.credentials = state.credentials.filter((one) => {
      if (kid !== undefined) return one.kid !== kid;
      return one.username !== username || (description !== undefined && one.description !== description);
    });
  });
  const removed = before - store.read().credentials.length;
  if (removed === 0) return failed("no WebAuthn credential was found");
  process.stdout.write(`Successfully deleted ${removed} WebAuthn credential(s)\n`);
  return 0;
}

function deleteTotp(store: Store, username: string): number {
  if (store.read().totp[username] === undefined) return failed(`user '${username}' has no TOTP configuration`);
  store.update((state) => {
    Reflect.deleteProperty(state.totp, username);
  });
  process.stdout.write(`Successfully deleted TOTP configuration for user '${username}'\n`);
  return 0;
}

function listBans(store: Store, kind: "user" | "ip"): number {
  const bans = store.read().bans.filter((ban) => ban.kind === kind && ban.expires > Date.now());
  const lines = bans.map((ban, index) => `${index + 1}\t${ban.value}\t${new Date(ban.expires).toISOString()}\n`);
  process.stdout.write(lines.length === 0 ? "No results.\n" : `ID\tBanned\tExpires\n${lines.join("")}`);
  return 0;
}

function revokeBan(store: Store, kind: "user" | "ip", value: string | undefined): number {
  const found = store.read().bans.some((ban) => ban.kind === kind && ban.value === value);
  if (value === undefined || !found) return failed(`no active ban of the ${kind} '${value ?? ""}' was found`);
  store.update((state) => {
    state.bans = state.bans.filter((ban) => ban.kind !== kind || ban.value !== value);
    // The real one looks at bans that were revoked too: attempts before one no longer count.
    state.attempts = state.attempts.filter((one) => (kind === "user" ? one.username : one.ip) !== value);
  });
  process.stdout.write(`Successfully revoked the ban of the ${kind} '${value}'\n`);
  return 0;
}
