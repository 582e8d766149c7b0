/** Run by `npm run compare:authelia`: the same commands and requests to the real Authelia and to its stand-in, and every difference. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { exitWith } from "../../../cli/exit";
import { bundleGateway } from "../stand-ins/authelia/bundle";
import { totpCode } from "../stand-ins/authelia/http/totp";
import { reportDifferences } from "./report";
import { type Ask, Side, domain, password, person, username } from "./side";

const usage = "usage: npm run compare:authelia -- [--real PATH] (default: authelia on PATH)";

type Step = readonly [name: string, look: (side: Side) => unknown];

/** Differences that are known, by step: docs/testing.md tells them. */
const known: ReadonlySet<string> = new Set(["the page"]);

const post = (body: unknown, from?: string): Ask => ({ method: "POST", body, ...(from !== undefined && { from }) });
const signIn = (word: string, from?: string) => post({ username, password: word, keepMeLoggedIn: false }, from);
const gate = (
  headers: Readonly<Record<string, string>> = { accept: "text/html" },
  host = "code.",
  path = "/x?y=1",
): Ask => ({
  headers: {
    "x-forwarded-method": "GET",
    "x-forwarded-host": `${host}${domain}`,
    "x-forwarded-uri": path,
    ...headers,
  },
});
const firstFactor = "/api/firstfactor";
const gatePath = "/api/authz/forward-auth";

async function seconds(action: Promise<unknown>): Promise<number> {
  const start = Date.now();
  await action;
  return (Date.now() - start) / 1000;
}

/** Keeps a connection open longer than the configuration allows, after it has sent this, and says whether that is an error. */
async function idle(side: Side, sent: string): Promise<boolean> {
  const before = side.errors();
  const socket = connect(side.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(sent);
  await sleep(2500);
  socket.destroy();
  return side.errors() > before;
}

const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const guessed = "192.0.2.66";

/** What the gate says of each place: an App of the person's, one of others, the index page, and paths that differ. */
const places = async (side: Side) => {
  const at = (host: string, path?: string) => side.ask(gatePath, gate(undefined, host, path));
  return [
    await at("notes."),
    await at("code."),
    await at(""),
    await at("other."),
    await at("notes.", "/public/x"),
    await at("notes.", "/public/closed/x"),
  ];
};

/** Signs the person in with both factors; a code is good once, also that of the next half minute. */
const personSignsIn = async (side: Side, ahead = 0) => {
  side.forgetCookies();
  const first = await side.ask(firstFactor, post({ username: person, password, keepMeLoggedIn: false }));
  const token = totpCode(secret, Math.floor(Date.now() / 30_000) + ahead);
  return [first, await side.ask("/api/secondfactor/totp", post({ token }))];
};

const steps: readonly Step[] = [
  ["version", (side) => side.run("--version")],
  ["config validate", (side) => side.run("config", "validate")],
  ["health", (side) => side.ask("/api/health")],
  ["the page", (side) => side.ask("/")],
  ["an unknown address", (side) => side.ask("/api/nonsense")],
  ["a method that it has not", (side) => side.ask("/api/health", { method: "PUT" })],
  ["state of a stranger", (side) => side.ask("/api/state")],
  ["configuration for a stranger", (side) => side.ask("/api/configuration")],
  ["the rules for passwords", (side) => side.ask("/api/configuration/password-policy")],
  ["the gate to a stranger's browser", (side) => side.ask(gatePath, gate())],
  ["the gate to a stranger's program", (side) => side.ask(gatePath, gate({ accept: "application/json" }))],
  ["the gate to Basic", (side) => side.ask(gatePath, gate({ authorization: "Basic YWRtaW46eA==" }))],
  [
    "other gates",
    (side) => Promise.all(["/api/verify", "/api/authz/auth-request"].map((path) => side.ask(path, gate()))),
  ],
  ["a wrong password", (side) => side.ask(firstFactor, signIn("wrong", "192.0.2.60"))],
  ["an unknown user", (side) => side.ask(firstFactor, post({ username: "eve", password: "x" }, "192.0.2.61"))],
  ["no user", (side) => side.ask(firstFactor, post({}, "192.0.2.62"))],
  [
    "takes its time to say no",
    async (side) => (await seconds(side.ask(firstFactor, signIn("wrong", "192.0.2.63")))) > 0.9,
  ],
  [
    "memory of six checks at once",
    async (side) => {
      const before = side.peakMemory();
      const at = (one: number) => side.ask(firstFactor, signIn("wrong", `192.0.2.${70 + one}`));
      await Promise.all([0, 1, 2, 3, 4, 5].map(at));
      // Of argon2 alone 6 x 19 MiB; what was free before makes it less.
      return side.peakMemory() - before > 60;
    },
  ],
  ["the right password", (side) => side.ask(firstFactor, signIn(password))],
  ["state after one factor", (side) => side.ask("/api/state")],
  ["configuration after one factor", (side) => side.ask("/api/configuration")],
  ["who one is", (side) => side.ask("/api/user/info", post({}))],
  ["the gate after one factor", (side) => side.ask(gatePath, gate())],
  [
    "password change without the code",
    (side) => side.ask("/api/change-password", post({ old_password: "a", new_password: "b" })),
  ],
  ["passkeys of a user without any", (side) => side.run("storage", "user", "webauthn", "list", username)],
  ["passkeys of nobody", (side) => side.run("storage", "user", "webauthn", "list")],
  [
    "removal of a passkey that is not there",
    (side) => side.run("storage", "user", "webauthn", "delete", "--kid", "abc"),
  ],
  ["removal of passkeys, not said which", (side) => side.run("storage", "user", "webauthn", "delete", username)],
  ["removal of an app that is not there", (side) => side.run("storage", "user", "totp", "delete", username)],
  ["an authenticator app", (side) => side.run("storage", "user", "totp", "generate", username, "--secret", secret)],
  ["a second one", (side) => side.run("storage", "user", "totp", "generate", username)],
  ["a wrong code", (side) => side.ask("/api/secondfactor/totp", post({ token: "000000" }))],
  [
    "the code",
    (side) => side.ask("/api/secondfactor/totp", post({ token: totpCode(secret, Math.floor(Date.now() / 30_000)) })),
  ],
  ["the gate after two factors", (side) => side.ask(gatePath, gate())],
  ["removal of the app", (side) => side.run("storage", "user", "totp", "delete", username)],
  ["every place to the operator", places],
  ["signing out", (side) => side.ask("/api/logout", post({}))],
  ["every place to a stranger", places],
  ["a person's password", (side) => side.ask(firstFactor, post({ username: person, password, keepMeLoggedIn: false }))],
  ["every place to a person after one factor", places],
  [
    "where a person's password leads to",
    (side) => {
      const asked = { username: person, password, keepMeLoggedIn: false, targetURL: `https://code.${domain}/` };
      return side.ask(firstFactor, post(asked));
    },
  ],
  [
    "a person's authenticator app",
    (side) => side.run("storage", "user", "totp", "generate", person, "--secret", secret),
  ],
  ["a person's sign-in", (side) => personSignsIn(side)],
  ["every place to a person", places],
  [
    "every place to a person who is removed, and to the same session when the name comes back",
    async (side) => {
      await side.people("gone");
      const removed = await places(side);
      await side.people("there");
      return [removed, await places(side)];
    },
  ],
  [
    "a session that nobody used until the name came back",
    async (side) => {
      await personSignsIn(side, 1);
      await side.people("gone");
      await side.people("there");
      return places(side);
    },
  ],
  ["removal of all passkeys of a user", (side) => side.run("storage", "user", "webauthn", "delete", person, "--all")],
  ["removal of a person's app", (side) => side.run("storage", "user", "totp", "delete", person)],
  ["no bans", (side) => [side.run("storage", "bans", "ip", "list"), side.run("storage", "bans", "user", "list")]],
  [
    "five wrong passwords from one address",
    async (side) => {
      side.forgetCookies();
      for (let i = 0; i < 5; i++) await side.ask(firstFactor, signIn("wrong", guessed));
      return [await side.ask(firstFactor, signIn(password, guessed)), await side.ask(firstFactor, signIn(password))];
    },
  ],
  ["the bans", (side) => [side.run("storage", "bans", "ip", "list"), side.run("storage", "bans", "user", "list")]],
  ["lifting a ban that is not there", (side) => side.run("storage", "bans", "ip", "revoke", "192.0.2.99")],
  ["lifting a ban of a user who has none", (side) => side.run("storage", "bans", "user", "revoke", username)],
  ["lifting no ban", (side) => side.run("storage", "bans", "ip", "revoke")],
  ["lifting a ban by a number that is not there", (side) => side.run("storage", "bans", "ip", "revoke", "--id=99")],
  ["lifting the ban", (side) => side.run("storage", "bans", "ip", "revoke", "--id=1")],
  ["the right password after that", (side) => side.ask(firstFactor, signIn(password, guessed))],
  ["a connection without a request is an error in the log", (side) => idle(side, "")],
  [
    "one that is idle after an answer is not",
    (side) => idle(side, `GET /api/health HTTP/1.1\r\nHost: auth.${domain}\r\n\r\n`),
  ],
  [
    "a request that has begun before it stops",
    async (side) => {
      const begun = side.ask(firstFactor, signIn(password, "192.0.2.90"));
      await sleep(30);
      await side.stop();
      return begun;
    },
  ],
];

async function observe(command: readonly [string, ...string[]]): Promise<Map<string, unknown>> {
  const side = await Side.open(command);
  try {
    await side.start();
    const seen = new Map<string, unknown>();
    for (const [name, look] of steps) seen.set(name, await look(side));
    return seen;
  } finally {
    await side.close();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { real: { type: "string", default: "authelia" }, help: { type: "boolean" } },
  });
  if (values.help) throw new Error(usage);
  const found = spawnSync(values.real, ["--version"], { encoding: "utf8" });
  if (found.status !== 0) throw new Error(`${values.real} is not there or does not run\n${usage}`);
  const bundle = mkdtempSync(join(tmpdir(), "compare-bundle-"));
  try {
    const file = join(bundle, "authelia.cjs");
    await bundleGateway(file);
    const real = await observe([values.real]);
    const standIn = await observe([process.execPath, file]);
    const news = reportDifferences(found.stdout.trim(), real, standIn, known);
    return news === 0 ? 0 : 1;
  } finally {
    rmSync(bundle, { recursive: true });
  }
}

exitWith(main());
