// Check-ins by QR code and a migration that is put back, at the stand-in for CaseCheck with the real PostgreSQL, OPA, Alembic and uvicorn. With
// CASECHECK_SOURCE=FOLDER (a checkout of the original) and CASECHECK_FORMER=FOLDER (one of a commit before its last migration) at the original.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { enabledApps } from "../../components/apps/registry";
import { checkIn, phone, scan, show } from "../browser/check-in";
import { openBrowser } from "../browser/portal";
import { Cases } from "../sandbox/apps/cases";
import { CasecheckWeb } from "../support/casecheck-web";
import { RenderedCaddy } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";
import { type Step, checkInSteps } from "../support/casecheck-steps";
import { CasecheckBackend, CasecheckDatabase, adminPassword, standInSource } from "../support/casecheck-backend";

const source = process.env["CASECHECK_SOURCE"] ?? standInSource;
const folder = mkdtempSync(join(tmpdir(), "casecheck-former-"));
const former = process.env["CASECHECK_FORMER"] ?? folder;
const [formerCommit, commit] = ["1".repeat(40), "2".repeat(40)];

const domain = "home.example.com";
const origin = `https://casecheck.${domain}`;
const open = { domain, casecheckEnabled: "true", casecheckOpen: "true" };

/** CaseCheck's pages, which know the origin. CASECHECK_PAGES: those of the original, built with VITE_API_URL=https://casecheck.home.example.com. */
function pages(): string {
  const given = process.env["CASECHECK_PAGES"];
  if (given !== undefined) return given;
  cpSync(join(standInSource, "frontend"), join(folder, "pages"), { recursive: true });
  const env = { ...process.env, VITE_API_URL: origin };
  execFileSync(process.execPath, ["build.mjs"], { cwd: join(folder, "pages"), env });
  return join(folder, "pages/dist");
}

let database: CasecheckDatabase;
let backend: CasecheckBackend;
let earlier: CasecheckBackend;
beforeAll(async () => {
  if (former === folder) {
    cpSync(standInSource, folder, { recursive: true });
    rmSync(join(folder, "backend/alembic/versions/2_check_in.py"));
  }
  database = await CasecheckDatabase.start();
  backend = await CasecheckBackend.of(source, database);
  earlier = await CasecheckBackend.of(former, database);
});
afterAll(async () => {
  backend.stop();
  await database.stop();
  rmSync(folder, { recursive: true });
});

test("a migration that fails changes nothing, and one whose version does not become healthy is put back with its data", () => {
  const count = () => database.value("select count(*) from activity_cases");
  /** Everything that a row must have, in words of SQL. */
  const row = (table: string, values: Readonly<Record<string, string>>) => {
    const required = database.value(
      `select string_agg(column_name || ' ' || data_type, ',') from information_schema.columns where table_name = '${table}' and is_nullable = 'NO' and column_default is null`,
    );
    const guesses: Readonly<Record<string, string>> = {
      boolean: "false",
      integer: "0",
      "timestamp with time zone": "now()",
    };
    const all = required.split(",").map((each): [string, string] => {
      const [, name = "", type = ""] = /^(\S+) (.*)$/.exec(each) ?? [];
      return [name, values[name] ?? guesses[type] ?? "'-'"];
    });
    const [names, said] = [all.map(([name]) => name), all.map(([, value]) => value)];
    database.value(`insert into ${table} (${names.join()}) values (${said.join()})`);
  };

  database.prepare(formerCommit);
  expect(earlier.migrate()).toMatchObject({ status: 0 });
  const before = database.revision();
  const activity = { id: "'a'", title: "'Kept'", status: "'DRAFT'", risk_level: "'LOW'", max_participants: "5" };
  const made = {
    creator_id: "(select id from users limit 1)",
    activity_type_id: "(select id from activity_types limit 1)",
  };
  row("activity_cases", { ...activity, ...made });
  const record = { activity_id: "'a'", user_id: "(select id from users limit 1)", status: "'REGISTERED'" };
  for (const id of ["'r'", "'s'"]) row("attendance_records", { ...record, id });

  // Nobody may have two records of one activity from then on.
  database.prepare(commit);
  const failed = backend.migrate();
  expect([failed.status === 0, failed.said.includes("UniqueViolation")]).toEqual([false, true]);
  expect(database.prepare(formerCommit)).toBe("");
  expect(earlier.migrate()).toMatchObject({ status: 0 });
  expect([database.revision(), count()]).toEqual([before, "1"]);

  database.value("delete from attendance_records where id = 's'");
  database.prepare(commit);
  expect(backend.migrate()).toMatchObject({ status: 0 });
  expect(database.revision()).not.toBe(before);
  // Without what was copied, the former version does not start again.
  expect(earlier.migrate().said).toContain("Can't locate revision");
  expect(database.prepare(formerCommit)).toContain("runs again, on the data that it left");
  expect(earlier.migrate()).toMatchObject({ status: 0 });
  expect([database.revision(), count()]).toEqual([before, "1"]);
});

describe("people", () => {
  let seen: ReadonlyMap<string, Step>;
  beforeAll(async () => {
    database.prepare(commit);
    expect(backend.migrate()).toMatchObject({ status: 0 });
    await backend.serve();
    seen = await checkInSteps(backend.url, adminPassword);
  });
  const bodyOf = (name: string) => seen.get(name)?.body;

  it("make an activity, show its QR code and check in with it, once each", () => {
    expect(bodyOf("pia checks in")).toMatchObject({ data: { status: "CHECKED_IN", check_in_method: "QR" } });
    expect(seen.get("pia checks in again")).toEqual({ status: 409, body: { detail: "Already checked in" } });
    const counts = { total_registered: 2, checked_in: 2, attendance_rate: 100 };
    expect(bodyOf("the count after, for its creator")).toMatchObject({ data: counts });
    expect(bodyOf("the count of five check-ins at once")).toMatchObject({
      data: { total_registered: 1, checked_in: 1 },
    });
    expect(bodyOf("there is no room for olga")).toEqual({ detail: "Activity is full" });
  });

  it("scan the QR code with a phone, sign in there, and are counted once, through edge and web server", async () => {
    const cases = new Cases(async (path, options) => {
      const answer = await fetch(backend.url + path, options);
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
    });
    const people = { olive: "Passphrase1", paul: "Passphrase1" };
    for (const [username, password] of Object.entries(people)) await cases.register(username, password);
    const [olive, admin] = [await cases.token("olive", people.olive), await cases.token("admin", adminPassword)];
    await cases.create("A scanned one", olive);
    const id = await cases.idOf("A scanned one", olive);
    await cases.move(id, "submit", olive);
    await cases.move(id, "approve", admin);
    await cases.move(id, "start", olive);
    const { data } = JSON.parse((await cases.qrCode(id, olive)).body) as { data: { code: string } };

    const web = await CasecheckWeb.open(open, new URL(backend.url).host, pages());
    const gateway = createServer((_request, response) => response.end());
    const gatewayPort = await listen(gateway);
    const edge = await RenderedCaddy.start({
      domain,
      routes: enabledApps(settingsOf(open)).flatMap((app) => app.routes),
      portOf: (upstream) => Promise.resolve(upstream === "casecheck-web:8080" ? web.port : gatewayPort),
      tls: selfSigned([domain, `*.${domain}`]),
      secrets: { "login-opencode": "Basic of-nobody" },
    });
    const opened = await openBrowser({ domain, address: `127.0.0.1:${edge.port}` });
    try {
      await show(opened.page, origin, data.code);
      const address = await scan(opened.page);
      expect(address).toBe(`${origin}/check-in?code=${data.code}`);
      const page = await (await phone(opened.browser)).newPage();
      const login = { username: "paul", password: people.paul };
      expect(await checkIn(page, address, login)).toBe("Check-in recorded successfully.");
      expect(await checkIn(page, address)).toBe("Scan failed. Please try again.");
    } finally {
      await opened.close();
      edge.stop();
      gateway.close();
      web.close();
    }
    expect(database.value(`select string_agg(status, ' ') from attendance_records where activity_id = '${id}'`)).toBe(
      "CHECKED_IN",
    );
  });

  it("are refused by the policy what is not theirs, and a code that is none", () => {
    const refused = [...seen].flatMap(([name, { status }]) => (status === 403 ? [name] : []));
    expect(refused).toEqual([
      "the users, for olga",
      "a draft, for another",
      "a draft is approved",
      "a draft is submitted by another",
      "pia registers too early",
      "it is approved by its creator",
      "it is started by another",
      "it is started again",
      "a QR code for a participant",
      "a check-in with another text",
      "a check-in with a login in place of a code",
      "a check-in with a code of another key",
      "the count after, for a participant",
      "pia checks out again",
    ]);
    for (const name of refused) expect(bodyOf(name)).toMatchObject({ detail: "Permission denied" });
    expect(seen.get("a check-in without a login")?.status).toBe(401);
  });
});
