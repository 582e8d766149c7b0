import { createHash, randomBytes } from "node:crypto";
import { parseDocument } from "yaml";
import { hashPassword } from "../../components/auth-gateway/password-hash";
import { password as passwordSchema } from "../../components/settings/checks";
import { onHost } from "../host";
import { OpsError, type StackChoice } from "../stack";

export const gatewayContainer = "cloudcode-auth-authelia-1";

const usersFile = `$(docker volume inspect --format '{{.Mountpoint}}' cloudcode-auth_config)/users.yml`;

/**
 * Authelia's users file with another password of one user; everything else stays as it is written.
 *
 * @param hash PHC text
 * @throws OpsError where the file holds no such user
 */
export function withPasswordHash(users: string, username: string, hash: string): string {
  const document = parseDocument(users);
  if (!document.hasIn(["users", username])) throw new OpsError(`the gateway knows no user ${username}`);
  document.setIn(["users", username, "password"], hash);
  return document.toString({ lineWidth: 0 });
}

/** @throws OpsError that says why Authelia or the program would refuse it */
export function checkPassword(password: string): void {
  const parsed = passwordSchema.safeParse(password);
  if (!parsed.success) throw new OpsError(`the password ${parsed.error.issues[0]?.message ?? "is not acceptable"}`);
}

/** Sets the operator's password at the gateway, as the portal would; only its hash leaves this machine. */
export async function setPassword(choice: StackChoice, password: string): Promise<string> {
  checkPassword(password);
  const hash = await hashPassword(password, randomBytes(16).toString("base64"));
  return onHost(choice, async (ssh, { operations: { operator } }) => {
    const { stdout: users } = await ssh.script(`cat "${usersFile}"`);
    // The file is Authelia's: what it wrote in between is not overwritten, and it keeps owner and mode.
    await ssh.script(
      `file=${usersFile} new=$file.password && trap 'rm -f "$new"' EXIT &&
       cat >"$new" && chown --reference="$file" "$new" && chmod --reference="$file" "$new" &&
       if [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$1" ]; then mv "$new" "$file"; else echo "the users file changed meanwhile: try again" >&2; exit 1; fi`,
      [createHash("sha256").update(users).digest("hex")],
      { input: withPasswordHash(users, operator, hash) },
    );
    return operator;
  });
}

/** Runs the gateway's own command line beside it. */
async function authelia(choice: StackChoice, words: (operator: string) => readonly string[]): Promise<string> {
  return onHost(choice, async (ssh, { operations: { operator } }) => {
    const { stdout } = await ssh.script(`exec docker exec ${gatewayContainer} authelia "$@"`, words(operator));
    return stdout.trim();
  });
}

export function listDevices(choice: StackChoice): Promise<string> {
  return authelia(choice, (operator) => ["storage", "user", "webauthn", "list", operator]);
}

/** @param kid key id as {@link listDevices} shows it */
export function removePasskey(choice: StackChoice, kid: string): Promise<string> {
  return authelia(choice, () => ["storage", "user", "webauthn", "delete", "--kid", kid]);
}

export function removeTotp(choice: StackChoice): Promise<string> {
  return authelia(choice, (operator) => ["storage", "user", "totp", "delete", operator]);
}

/** Bans of users and of addresses. */
export async function listBans(choice: StackChoice): Promise<string> {
  const users = await authelia(choice, () => ["storage", "bans", "user", "list"]);
  const addresses = await authelia(choice, () => ["storage", "bans", "ip", "list"]);
  return `${users}\n${addresses}`;
}

/** @param who a user's name, or an address. @default the operator */
export function unban(choice: StackChoice, who: string | undefined): Promise<string> {
  const kind = who !== undefined && /[.:]/.test(who) ? "ip" : "user";
  return authelia(choice, (operator) => ["storage", "bans", kind, "revoke", who ?? operator]);
}
