import { z } from "zod";
import { commitsFile } from "../../../sandbox/images/sources";
import { checkIn, phone, scan, show } from "../../browser/check-in";
import { openBrowser } from "../../browser/portal";
import type { AppsWorld } from "../apps/world";
import { Cases } from "../apps/cases";
import { replaced } from "../apps/parts";

const backups = "/var/lib/postgresql/data";

/** CaseCheck behind the gateway: database, policy, API and pages play together. */
export function casecheck(world: AppsWorld): void {
  const cases = new Cases((path, options) =>
    world.request("casecheck", path, { ...options, headers: { cookie: world.cookie, ...options.headers } }),
  );

  test("the migration ended well before the API started", async () => {
    const inspect = (service: string, fields: string) =>
      world.onHost(`docker inspect --format '${fields}' cloudcode-casecheck-${service}-1`);
    const [code, ended = ""] = (await inspect("migrate", "{{.State.ExitCode}} {{.State.FinishedAt}}")).split(" ");
    const started = await inspect("api", "{{.State.StartedAt}}");
    expect(code).toBe("0");
    expect(Date.parse(ended)).toBeLessThanOrEqual(Date.parse(started));
    // Of which the service role keeps what the version before it left, once there is one.
    const commit = `cat ${backups}/versions/commit; ls ${backups}/versions`;
    expect(await world.inContainer("casecheck-backup", commit)).toMatch(/^[0-9a-f]{40}\ncommit$/);
  });

  test("its user admin has the generated password, and not the public one", async () => {
    expect((await cases.login("admin", "Admin123!")).status).toBe(401);
    expect((await cases.login("admin", await world.appLogin("CaseCheck"))).status).toBe(200);
  });

  test("its policy lets everybody with a login make and list activities, and administrators alone list users", async () => {
    const admin = await cases.token("admin", await world.appLogin("CaseCheck"));
    expect((await cases.register("joan", "Passphrase1")).status).toBe(201);
    const user = await cases.token("joan", "Passphrase1");
    expect((await cases.create("Kept activity", user)).status).toBe(201);
    expect(await cases.titles(user)).toEqual(["Kept activity"]);
    expect((await cases.users(admin)).status).toBe(200);
    expect((await cases.users(user)).status).toBe(403);
    expect((await cases.create("Forbidden", "no token")).status).toBe(401);
  });

  test("its pages open in a browser and reach the API at their own address", async () => {
    const own = { headers: { cookie: world.cookie } };
    const { body } = await world.request("casecheck", "/check-in", own);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(body)?.[1] ?? "none";
    expect((await world.request("casecheck", script, own)).body).toContain(`https://casecheck.${world.domain}`);
    const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
    try {
      await world.giveSession(browser.context);
      await browser.page.goto(`https://casecheck.${world.domain}/check-in`);
      if (replaced(world.sandbox, "CaseCheck's page shows its API's health; only that it shows something"))
        await browser.page.getByText("healthy").waitFor();
      else await browser.page.locator("#root *").first().waitFor();
    } finally {
      await browser.close();
    }
  });

  test("a participant scans an activity's QR code with a phone and is counted once; the policy refuses what is not theirs", async () => {
    const admin = await cases.token("admin", await world.appLogin("CaseCheck"));
    const creator = await cases.token("joan", "Passphrase1");
    const pia = { username: "pia", password: "Passphrase1" };
    expect((await cases.register(pia.username, pia.password)).status).toBe(201);
    const participant = await cases.token(pia.username, pia.password);
    const id = await cases.idOf("Kept activity", creator);
    expect((await cases.move(id, "submit", creator)).status).toBe(200);
    expect((await cases.move(id, "approve", creator)).status).toBe(403);
    expect((await cases.move(id, "approve", admin)).status).toBe(200);
    expect((await cases.move(id, "start", creator)).status).toBe(200);
    for (const { status, body } of [await cases.qrCode(id, participant), await cases.count(id, participant)]) {
      expect([status, JSON.parse(body)]).toMatchObject([403, { detail: "Permission denied" }]);
    }
    const shown = await cases.qrCode(id, creator);
    expect(shown.status).toBe(201);
    const { data } = JSON.parse(shown.body) as { data: { code: string } };
    const origin = `https://casecheck.${world.domain}`;
    const opened = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
    try {
      await show(opened.page, origin, data.code);
      const address = await scan(opened.page);
      const hand = await phone(opened.browser);
      await world.giveSession(hand);
      const page = await hand.newPage();
      expect(await checkIn(page, address, pia)).toBe("Check-in recorded successfully.");
      expect(await checkIn(page, address)).toBe("Scan failed. Please try again.");
    } finally {
      await opened.close();
    }
    const { body } = await cases.count(id, creator);
    expect(JSON.parse(body)).toMatchObject({ data: { total_registered: 1, checked_in: 1 } });
  });

  test("its database is dumped at the start and then every day, into a file from which it can be restored", async () => {
    expect(await world.inContainer("casecheck-backup", `ls ${backups} | grep -c '^casecheck-.*[.]dump$'`)).not.toBe(
      "0",
    );
    expect(await world.onHost("pgrep -fx 'sleep 86400'")).toMatch(/^\d+$/);
    const count = await world.inContainer(
      "casecheck-backup",
      `sh /backup.sh 7 ${backups} once && export PGUSER=postgres && createdb restored &&
       pg_restore --dbname restored "$(ls ${backups}/*.dump | tail -n 1)" && psql -XAt restored -c 'select title from activity_cases'; dropdb restored`,
    );
    expect(count).toBe("Kept activity");
  });

  test("nobody gets into the database by an address without the password of the release", async () => {
    const words = await world.inContainer(
      "casecheck-database",
      "PGPASSWORD=wrong psql -h \"$(hostname -i)\" -U casecheck -c 'select 1' 2>&1 || true",
    );
    expect(words).toContain("password authentication failed");
  });

  test("an update whose API does not start is put back with its data; one that starts can be put back, too", async () => {
    if (!replaced(world.sandbox, "updates of CaseCheck to later commits, one of them broken")) return;
    const { sources, images } = ownSettings(world);
    const [address = ""] = sources.casecheck.split("#");
    const debian = `docker run --rm --network none ${images.debian} cat ${commitsFile}`;
    const commits = new Map(
      (await world.onHost(debian)).split("\n").map((line) => line.split(" ") as [string, string]),
    );
    const configure = (commit: string | undefined) => {
      const casecheck = commit === undefined ? sources.casecheck : `${address}#${commits.get(commit) ?? ""}`;
      world.sandbox.configure({ sources: { ...sources, casecheck } });
    };
    const revision = () =>
      world.inContainer(
        "casecheck-database",
        "psql --no-psqlrc -XAt -U postgres -d casecheck -c 'select version_num from alembic_version'",
      );
    const titles = async () => cases.titles(await cases.token("joan", "Passphrase1"));
    expect([await revision(), await titles()]).toEqual(["2", ["Kept activity"]]);

    configure("casecheck-broken");
    const words = await world.upFails();
    expect(words).toContain("did not become healthy");
    expect(words).toContain("this version does not start");
    expect([await revision(), await titles()]).toEqual(["2", ["Kept activity"]]);

    configure("casecheck-next");
    await world.up();
    expect([await revision(), await titles()]).toEqual(["3", ["Migrated: Kept activity"]]);

    configure(undefined);
    await world.up();
    expect([await revision(), await titles()]).toEqual(["2", ["Kept activity"]]);
  });
}

/** What the sandbox has set, which says where the Apps' repositories and images are. */
function ownSettings(world: AppsWorld) {
  const config = world.config();
  return z
    .object({ sources: z.looseObject({ casecheck: z.string() }), images: z.looseObject({ debian: z.string() }) })
    .parse({ sources: config["cloudcode:sources"], images: config["cloudcode:images"] });
}
