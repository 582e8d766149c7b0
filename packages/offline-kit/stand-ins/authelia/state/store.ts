// Stand-in for Authelia 4.39.20: second factors, one-time codes, log of attempts and bans, in one encrypted file.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface TotpRecord {
  /** Base32. */
  readonly secret: string;
  /** Steps already used: a code works once. */
  readonly spent: readonly number[];
}
export interface CredentialRecord {
  readonly id: number;
  readonly rpId: string;
  readonly username: string;
  readonly description: string;
  readonly kid: string;
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
}
interface OneTimeCodeRecord {
  readonly publicId: string;
  readonly username: string;
  readonly code: string;
  readonly expires: number;
}
export interface State {
  nextId: number;
  totp: Record<string, TotpRecord>;
  webauthnUsers: { rpId: string; username: string; userId: string }[];
  credentials: CredentialRecord[];
  codes: OneTimeCodeRecord[];
  attempts: { time: number; ip: string; successful: boolean }[];
  bans: { id: number; ip: string; expires: number }[];
}

const magic = "stand-in for authelia 2\n";
const wrongKey =
  "the configured encryption key does not appear to be valid for this database which may occur if the encryption key was " +
  "changed in the configuration without using the cli to change it in the database";

function emptyState(): State {
  return {
    nextId: 1,
    totp: {},
    webauthnUsers: [],
    credentials: [],
    codes: [],
    attempts: [],
    bans: [],
  };
}

export function seal(plain: string, secret: string): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", createHash("sha256").update(secret).digest(), iv);
  const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

export function unseal(sealed: Buffer, secret: string): string | undefined {
  try {
    const key = createHash("sha256").update(secret).digest();
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** Read again when the file changed, so that the command line may work next to the server. */
export class Store {
  #state: State = emptyState();
  #stamp = -1;

  constructor(
    readonly path: string,
    readonly key: string,
  ) {}

  /** Throws the real one's words when the key does not fit the file. */
  open(): void {
    mkdirSync(dirname(this.path), { recursive: true });
    if (existsSync(this.path)) this.read();
    else this.update(() => undefined);
  }

  read(): Readonly<State> {
    const stamp = statSync(this.path).mtimeMs;
    if (stamp === this.#stamp) return this.#state;
    const content = readFileSync(this.path);
    if (content.subarray(0, 15).toString() === "SQLite format 3")
      throw new Error(`${this.path} was made by the real Authelia, this stand-in leaves it alone`);
    if (content.subarray(0, magic.length).toString() !== magic)
      throw new Error(`${this.path} is not a database of this stand-in`);
    const plain = unseal(content.subarray(magic.length), this.key);
    if (plain === undefined) throw new Error(wrongKey);
    this.#state = { ...emptyState(), ...(JSON.parse(plain) as Partial<State>) };
    this.#stamp = stamp;
    return this.#state;
  }

  update<T>(change: (state: State) => T): T {
    if (existsSync(this.path)) this.read();
    const result = change(this.#state);
    const temporary = `${this.path}.new`;
    writeFileSync(temporary, Buffer.concat([Buffer.from(magic), seal(JSON.stringify(this.#state), this.key)]), {
      mode: 0o600,
    });
    renameSync(temporary, this.path);
    this.#stamp = statSync(this.path).mtimeMs;
    return result;
  }
}
