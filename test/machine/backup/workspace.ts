import * as fc from "fast-check";
import type { Entry } from "./host";

/** What a database without a copy is called for. */
export type Reason =
  "it does not begin as a database of SQLite does" | "its wal is not a file of its own" | "SQLite cannot read it";

/** An entry, and why a backup must name it; undefined: it must not. */
export interface Case {
  readonly entry: Entry;
  readonly warned: Reason | undefined;
}

const bytes = (text: string) => Buffer.from(text);
/** What shells, restic's patterns, files of lines and JSON give a meaning, and bytes that are no text. */
const pieces = [
  "a",
  "B",
  " ",
  "  ",
  "\n",
  "\r",
  "\t",
  "*",
  "?",
  "[",
  "]",
  "[a-z]",
  "!",
  "#",
  "$",
  "$HOME",
  "${x}",
  "\\",
  "\\n",
  '"',
  "'",
  "`",
  ",",
  ":",
  "=",
  "%",
  "~",
  "-",
  "--exclude",
  "**",
  "..",
  ".",
  "é",
  "漢",
  "\u2028",
  "\u00a0",
  "\u001b[31m",
].map(bytes);
const odd = [0x80, 0xff, 0xfe, 0xc3].map((byte) => Buffer.from([byte]));
const name = fc
  .array(fc.constantFrom(...pieces, ...odd), { minLength: 0, maxLength: 6 })
  .map((all) => Buffer.concat(all));
const ending = fc.constantFrom(".db", ".sqlite", ".sqlite3", ".session", ".DB", " .db", "\n.db");
const hex = (...parts: readonly (Buffer | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? bytes(part) : part))).toString("hex");
const data = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((all) => Buffer.from(all).toString("hex"));

const common = {
  owner: fc.constantFrom(0, 1000, 1001),
  mode: fc.constantFrom(0o644, 0o600, 0o000, 0o755, 0o4755, 0o2711, 0o444, 0o666),
  time: fc.integer({ min: 1, max: 1_700_000_000 }).map((seconds) => seconds * 1_000_000_000 + 4096),
};
/** Files whose name says what they are not, and others. */
const plain = fc.record({
  kind: fc.constantFrom("data", "folder", "link", "pipe", "socket", "sparse"),
  ending: fc.constantFrom("", ".txt", "-wal", "-shm", "-journal", ".db-wal", ".db-journal", " "),
  to: fc.constantFrom("/etc/passwd", "nowhere", "..", "/opt/cloudcode/backup/password").map((text) => hex(text)),
  size: fc.constantFrom(5000, 3 << 20, 2 ** 31, 2 ** 40),
  data,
});
const databases = fc.record({
  kind: fc.constantFrom(
    "database",
    "database and log",
    "database with log",
    "database with journal",
    "cut database",
    "damaged database",
    "database with linked log",
    "data",
    "folder",
    "link",
    "pipe",
  ),
  ending,
  to: fc.constant(hex("/etc/passwd")),
  size: fc.constantFrom(100, 200, 4096, 5000),
  data,
  names: fc.constantFrom("/etc/canary", "/volumes/data/kept", "/backup/volumes/data/kept"),
});

const reasons: Readonly<Record<string, Reason>> = {
  "data .db": "it does not begin as a database of SQLite does",
  "cut database": "SQLite cannot read it",
  "damaged database": "SQLite cannot read it",
  "database with linked log": "its wal is not a file of its own",
};

const one = fc.oneof(
  plain.map((made) => ({ ...made, isDatabase: false })),
  databases.map((made) => ({ ...made, isDatabase: true })),
);
const made = fc.record({ one, ...common, name, folders: fc.array(name, { maxLength: 2 }) });

/** Workspaces full of hostile and broken files, each with a name of its own. */
export const workspaces: fc.Arbitrary<readonly Case[]> = fc.array(made, { minLength: 120, maxLength: 160 }).map((all) =>
  all.map(({ one: { isDatabase, kind, ending: end, ...rest }, folders, name: own, ...owned }, index) => {
    const path = hex(...folders.flatMap((folder) => ["f", folder, "/"]), "n", own, String(index), end);
    // Random bytes that happen to be a good header would be no damage: the page size is never a valid one.
    const damage = kind === "damaged database" ? { data: `ffff${rest.data}` } : {};
    return {
      entry: { path, kind, ...rest, ...damage, ...owned },
      warned: isDatabase ? reasons[kind === "data" ? "data .db" : kind] : undefined,
    };
  }),
);
