// Stand-in for Authelia 4.39.20: `authelia storage user totp generate` and `authelia storage user webauthn list|delete`.
import { randomBytes } from "node:crypto";
import type { GatewayConfig } from "./config/types";
import { otpauthUrl, toBase32 } from "./http/totp";
import { Store } from "./state/store";

export function accountCommand(words: readonly string[], config: GatewayConfig): number {
  const flags = words.filter((word) => word.startsWith("-"));
  const [user, kind, action, username] = words.filter((word) => !word.startsWith("-"));
  const store = new Store(config.storage.path, config.storage.encryptionKey);
  store.open();
  if (user === "user" && kind === "totp" && action === "generate" && username !== undefined)
    return generateTotp(
      store,
      config,
      username,
      flags.some((flag) => flag === "--force" || flag === "-f"),
    );
  if (user === "user" && kind === "webauthn" && action === "list") return listPasskeys(store, username);
  if (user === "user" && kind === "webauthn" && action === "delete" && username !== undefined)
    return deletePasskeys(store, username);
  process.stderr.write(`Error: unknown command "storage ${words.join(" ")}" for "authelia"\n`);
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

function deletePasskeys(store: Store, username: string): number {
  const before = store.read().credentials.length;
  store.update((state) => {
    state.credentials = state.credentials.filter((one) => one.username !== username);
  });
  const removed = before - store.read().credentials.length;
  process.stdout.write(`Successfully deleted ${removed} WebAuthn credential(s) for user '${username}'\n`);
  return 0;
}
