import { setTimeout as sleep } from "node:timers/promises";
import { typeAndBase64 } from "../../../components/settings/checks";
import { newKeyPair } from "../../../sandbox/host/keys";
import { addVirtualPasskey, enrolPasskey, loginWithPasskey, logout, openBrowser } from "../../browser/portal";
import { Cases } from "../apps/cases";
import { appSecrets, appSettings } from "../apps/world";
import { signIn } from "../sign-in";
import { username } from "../world";
import { type MoveWorld, former, next } from "./move-world";

const volumes = "/var/lib/docker/volumes";

/** Apps of the home: CLOUDCODE_MOVE_APPS=tg-signer needs 20 minutes, all three times that. */
const apps = (process.env["CLOUDCODE_MOVE_APPS"] ?? "tg-signer,donation,casecheck").split(",");
const hasCases = apps.includes("casecheck");
const enabled = {
  tgSignerEnabled: String(apps.includes("tg-signer")),
  donationEnabled: String(apps.includes("donation")),
  casecheckEnabled: String(hasCases),
};

/** GiB of files that move with it: 5 need 40 GiB of disk. */
const gib = Number(process.env["CLOUDCODE_MOVE_GIB"] ?? "0");

/** Sorted lines of all SQLite databases of an App, by the path of each. They are copied first: one that nobody has open cannot be read without writing. */
const dumps = (app: string) => `cd ${volumes} && for file in $(find cloudcode-${app}_* -type f -size -20M | sort); do
  head -c 15 "$file" | grep -q '^SQLite format 3' || continue
  rm -f /tmp/copy.db*; cp "$file" /tmp/copy.db; [ ! -e "$file-wal" ] || cp "$file-wal" /tmp/copy.db-wal
  sqlite3 /tmp/copy.db .dump | sort | sed "s#^#$file: #"; done`;

export function move(world: MoveWorld): void {
  const cases = () =>
    new Cases((path, options) =>
      world.request("casecheck", path, { ...options, headers: { cookie: world.cookie, ...options.headers } }),
    );
  const files = `${volumes}/cloudcode-tg-signer_data/_data/sessions`;
  const heavy = `${volumes}/cloudcode-tg-signer_data/_data/heavy`;
  const heavyDigest = `cd ${heavy} && find . -type f | LC_ALL=C sort | xargs -r sha256sum | sha256sum`;
  let heavyFiles = "";
  const to = ["move", "--to", next];
  const query = (sql: string) =>
    `docker exec cloudcode-casecheck-database-1 psql --no-psqlrc -qtA --username postgres --command '${sql}'`;
  const serves = async (address: string) => (await world.answers(address)).status === 200;
  /** No App runs on both hosts at once. */
  const apart = async () => {
    const [here, there] = [await world.running("former"), await world.running("next")];
    expect(here.filter((one) => there.includes(one))).toEqual([]);
    return { here, there };
  };
  const allRun = (running: readonly string[]) => {
    for (const app of ["auth", ...apps])
      expect([app, running.some((one) => one.startsWith(`cloudcode-${app}-`))]).toEqual([app, true]);
  };
  let address = "";
  let browser: Awaited<ReturnType<typeof openBrowser>> | undefined;

  afterAll(() => browser?.close());

  test("there is a home with data, a passkey and one-time passwords", async () => {
    address = world.sandbox.host.address;
    const { store } = world;
    if (!store) throw new Error("no store");
    world.sandbox.configure({
      ...appSettings,
      ...enabled,
      adminUsername: username,
      domain: world.domain,
      backupRepository: store.repository,
      backupHostKey: store.hostKey,
    });
    await world.setSecrets({ ...appSecrets, backupPrivateKey: store.privateKey });
    await world.up();
    world.totp = await signIn(world, username, appSecrets.adminPassword);
    if (hasCases) {
      expect((await cases().register("joan", "Passphrase1")).status).toBe(201);
      const admin = await cases().token("admin", await world.appLogin("CaseCheck"));
      expect((await cases().create("Kept activity", admin)).status).toBe(201);
      await world.onHost(query("create table moved(word text)"));
    }
    await world.onHost(
      `mkdir -p ${files} && echo kept >${files}/jo.session
       sqlite3 ${files}/live.session 'pragma journal_mode=wal; create table peers(name); insert into peers values("ada")' >/dev/null
       mkdir ${heavy} && for file in $(seq ${gib * 64}); do head -c 16M /dev/urandom >${heavy}/$file; done
       chown -R --reference ${volumes}/cloudcode-tg-signer_data/_data ${files} ${heavy}`,
    );
    heavyFiles = await world.onHost(heavyDigest);
    browser = await openBrowser({ domain: world.domain, address });
    const session = world.cookie;
    await world.signIn(browser.page);
    await addVirtualPasskey(browser.page);
    await enrolPasskey(browser.page, "phone", () => world.oneTimeCode());
    await logout(browser.page);
    // The browser's has ended.
    world.cookie = session;
  });

  test("another stack with too little says all that is in the way, and nothing is changed", async () => {
    await world.cli("", ["stack", "init", next, "--no-select"]);
    await world.cli(next, ["config", "set", "target", "existing"]);
    await world.cli(next, ["config", "set", "hostAddress", world.nextAddress]);
    await world.cli(next, ["config", "set", "hostKey", typeAndBase64(newKeyPair().publicKey)]);
    await world.cli(next, ["config", "set", "--secret", "hostPrivateKey"], newKeyPair().privateKey);
    const words = await world.fails(former, to);
    for (const key of ["domain", "backupPassword", "tgSignerEnabled", "adminPassword"])
      expect(words).toMatch(new RegExp(`^- ${key}: `, "m"));
    expect(words).not.toContain(appSecrets.adminPassword);
    expect(await world.onHost("ls -a /opt/cloudcode/stacks | grep -c '^.move$' || true")).toBe("0");
    await world.cli(next, ["stack", "rm", "--yes", "--force"]);
    await world.initNext();
    expect(await world.fails(former, to)).toContain(
      `backupPassword: ${next} needs that of ${former}: pulumi stack output backupPassword`,
    );
    const password = await world.cli(former, ["stack", "output", "backupPassword", "--show-secrets"]);
    await world.cli(next, ["config", "set", "--secret", "backupPassword"], password);
  });

  test("what fails before the turn goes back by itself: the former host serves, and nothing runs twice", async () => {
    const hostile = "/opt/cloudcode/bin/backup-restore.sh";
    // The new host is made first, so that what breaks there can be broken.
    await world.killed(former, to, /copying the data/);
    expect((await apart()).there).toEqual([]);
    await world.onNext(
      `cp ${hostile} /root/kept.sh && sed -i 's/^overwrite() {.*/&\\n[ "$1" != tg-signer ] || fail "broken by the test"/' ${hostile}`,
    );
    const words = await world.fails(former, to);
    await world.onNext(`cp /root/kept.sh ${hostile}`);
    expect(words).toContain("bringing the last changes over failed: cloudcode: broken by the test");
    expect(words).toContain("The former host serves again, and nothing was moved.");
    const { here, there } = await apart();
    expect(there).toEqual([]);
    allRun(here);
    expect(await serves(address)).toBe(true);
    if (hasCases) expect(await cases().titles(await cases().token("joan", "Passphrase1"))).toEqual(["Kept activity"]);
    expect((await world.ops(former, ["history", "-n", "30"])).stdout).toMatch(/tg-signer +resume/);
  });

  test("a run that was killed in the middle goes back where that is asked", async () => {
    await world.killed(former, to, /: yield tg-signer/);
    expect(await world.answers(address)).toEqual({ status: 503, retry: "60" });
    const { stdout } = await world.ops(former, [...to, "--back"]);
    expect(stdout).toContain(`The host of ${former} serves again, and nothing was moved.`);
    const { here, there } = await apart();
    expect(there).toEqual([]);
    allRun(here);
    expect(await serves(address)).toBe(true);
  });

  test("killed once in each step, the next run goes on, and the home is on the new host, whole", async () => {
    for (const [words, afterMs] of [
      [/making the new host/, 6000],
      [/copying the data/, 5000],
      [/: yield auth/, 0],
      [/: overwrite auth|: yield (tg-signer|casecheck)/, 0],
      [/: overwrite (tg-signer|casecheck)|: yield tg-signer|passing connections on/, 300],
      [/passing connections on/, 200],
      [new RegExp(`turning[^]*pulumi up --stack ${next}`), 5000],
      [new RegExp(`pulumi up --stack ${former}`), 3000],
    ] as const) {
      if (hasCases && words.source.includes("copying"))
        await world.onHost(query("insert into moved values ($$late$$)"));
      await world.killed(former, to, words, afterMs);
      await apart();
    }
    const { stdout } = await world.ops(former, [...to, "--json"]);
    const { message, unavailable } = JSON.parse(stdout) as { message: string; unavailable: number };
    expect(message).toContain(`https://${world.domain} is served by the host of ${next}`);
    expect(message).toContain("passes connections on");
    process.stderr.write(`MEASURED with four runs killed while it was down: ${unavailable} s without an answer\n`);
    expect(await world.onHost("docker ps -q | wc -l")).toBe("0");
    allRun(await world.running("next"));
  });

  test("every database is exact, and what was written last is there", async () => {
    for (const app of ["tg-signer", "auth", ...apps.filter((one) => one === "donation")]) {
      const [before, after] = [await world.onHost(dumps(app)), await world.onNext(dumps(app))];
      const there = new Set(after.split("\n"));
      // The new host may have written since; nothing of the former is missing.
      const isFixed = (line: string) => !/sqlite_sequence|PRAGMA|authentication_logs|cached_data/.test(line);
      // The stand-in of Authelia keeps no database of SQLite: that the passkey signs in shows its data.
      if (app === "tg-signer") expect(before).toContain("INSERT");
      expect(before.split("\n").filter((line) => isFixed(line) && !there.has(line))).toEqual([]);
    }
    expect(await world.onNext(`cat ${files}/jo.session`)).toBe("kept");
    expect(await world.onNext(heavyDigest)).toBe(heavyFiles);
    if (hasCases) expect(await world.onNext(query("select word from moved"))).toBe("late");
  });

  test("the passkey of before signs in, at the new host and through the former one", async () => {
    for (const way of [world.nextAddress, address]) expect([way, await serves(way)]).toEqual([way, true]);
    if (!browser) throw new Error("no browser");
    // The browser still resolves the names to the former host.
    await browser.page.goto(`https://auth.${world.domain}/`);
    await loginWithPasskey(browser.page);
    const answer = await browser.page.goto(`https://tg.${world.domain}/login`);
    expect([new URL(browser.page.url()).hostname, answer?.status()]).toEqual([`tg.${world.domain}`, 200]);
    await logout(browser.page);
  });

  test("a restart of Docker on the former host starts nothing there, and the next previews find nothing to do", async () => {
    await world.onHost("systemctl restart docker; systemctl restart cloudcode-recover");
    expect(await world.running("former")).toEqual([]);
    expect(await world.onHost("systemctl is-enabled cloudcode-moved-443.socket")).toBe("enabled");
    expect(await serves(address)).toBe(true);
    for (const stack of [former, next]) await world.cli(stack, ["preview", "--expect-no-changes"]);
  });

  test("back again: the seconds without an answer are measured, and what was written meanwhile is there", async () => {
    await world.onNext(`echo newer >${files}/jo.session`);
    let away = 0;
    const back = world.ops(next, ["move", "--to", former, "--json"]);
    const ended = back.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([ended, sleep(500, false)]))) {
      const asked = Date.now();
      if ((await world.answers(world.nextAddress)).status !== 200) away += 500 + Date.now() - asked;
    }
    const { unavailable } = JSON.parse((await back).stdout) as { unavailable: number };
    process.stderr.write(
      `MEASURED with ${gib} GiB and a few MB of data: ${unavailable} s without an answer by the journal, ${Math.round(away / 1000)} s seen\n`,
    );
    expect(unavailable).toBeLessThan(120);
    expect(await world.onHost(`cat ${files}/jo.session`)).toBe("newer");
    expect(await world.onHost(heavyDigest)).toBe(heavyFiles);
    expect(await world.running("next")).toEqual([]);
    for (const way of [address, world.nextAddress]) expect([way, await serves(way)]).toEqual([way, true]);
    expect(await world.onHost("systemctl is-active cloudcode-moved-443.socket || true")).toBe("inactive");
  });
}
