import { cacheDir } from "../../../cli/cache";
import type { Say } from "../../../cli/run";
import { addVirtualPasskey, enrolPasskey, loginWithPasskey, logout, openBrowser } from "../../browser/portal";
import { Cases } from "../apps/cases";
import { moveAway } from "../apps/move";
import { replaced } from "../apps/parts";
import { type AppsWorld, appSecrets } from "../apps/world";
import { ops } from "../ops/run";
import { type SftpStore, startStore, stopStore } from "../ops/store";
import { failureOf } from "../world";
import { asDonor, donate, donationIsKnown } from "./apps-donation";

const volumes = "/var/lib/docker/volumes";
const workspace = `${volumes}/cloudcode-opencode_workspace/_data`;
const sessions = `${volumes}/cloudcode-tg-signer_data/_data/sessions`;
const session = `${sessions}/live.session`;
const stacks = ["auth", "edge", "opencode", "tg-signer", "donation", "casecheck"];
const other = "other";
/** Published by Caddy, and behind the gateway alone: what needs a password or a tunnel's token of its own stays out. */
const notTaken = /casecheck(Published|Tunnel)|tgSigner(OuterLogin|Basic)/;

/** Every App's data comes back on a machine and in a stack that never saw it, whose generated secrets are others. */
export function elsewhere(world: AppsWorld, name: string, say: Say): void {
  let store: SftpStore;
  const cases = new Cases((path, options) =>
    world.request("casecheck", path, { ...options, headers: { cookie: world.cookie, ...options.headers } }),
  );
  const certificates = () =>
    world.onHost(`sha256sum ${volumes}/cloudcode-edge_data/_data/caddy/certificates/*/*/*.crt | cut -d' ' -f1 | sort`);
  const encryptionKey = () => world.onHost("cat /opt/cloudcode/stacks/auth/files/*/secrets/encryption-key | sha256sum");

  beforeAll(async () => {
    store = await startStore(name, world.sandbox.host.gateway, cacheDir, say);
    await configureBackups();
    await world.up();
  });
  afterAll(() => stopStore(name));

  const configureBackups = async () => {
    world.sandbox.configure({ backupRepository: store.repository, backupHostKey: store.hostKey });
    await world.setSecrets({ backupPrivateKey: store.privateKey });
  };

  test("destroyed and restored into another stack on a new machine, every App has its data, and old passkey and TOTP sign in", async () => {
    await world.onHost(
      `printf 'kept: ä "quote" $x\\n' >'${workspace}/a, "b".txt' && chown 1000:1000 '${workspace}/a, "b".txt'
       sqlite3 ${session} 'pragma journal_mode=wal; create table peers(name); insert into peers values("ada")' >/dev/null && chown --reference ${sessions} ${session}*`,
    );
    const browser = await openBrowser({ domain: world.domain, address: world.sandbox.host.address });
    try {
      const { page } = browser;
      await world.signIn(page);
      const passkey = await addVirtualPasskey(page);
      await enrolPasskey(page, "phone", () => world.oneTimeCode());
      await logout(page);
      const before = { certificates: await certificates(), key: await encryptionKey() };
      await ops(world, ["backup"]);

      const secrets = { ...appSecrets, backupPrivateKey: store.privateKey };
      const former = await moveAway(world, name, say, { stack: other, secrets, notTaken });
      expect(await encryptionKey()).not.toBe(before.key);

      const to = ["restore", "--to", other];
      const refused = await failureOf(ops(world, to, { stack: former }));
      for (const stack of stacks) expect(refused).toContain(`${stack} has data that is newer than the snapshot`);
      expect(refused).toContain("what ran before keeps running");
      expect(await world.onHost(`ls '${workspace}/a, "b".txt' 2>/dev/null || echo empty`)).toBe("empty");
      const { stderr } = await ops(world, [...to, "--force"], { stack: former });
      for (const stack of stacks) expect(stderr).toContain(`${stack} runs with the data of snapshot`);

      expect(await certificates()).toBe(before.certificates);
      await page.goto(`https://auth.${world.domain}/`);
      await loginWithPasskey(page);
      const answer = await page.goto(`https://code.${world.domain}/global/health`);
      expect({ host: new URL(page.url()).hostname, status: answer?.status() }).toEqual({
        host: `code.${world.domain}`,
        status: 200,
      });
      await logout(page);
      await passkey.remove();
      await world.signIn(page);
    } finally {
      await browser.close();
    }
  });

  test("OpenCode's files are there, with their owner", async () => {
    expect(await world.onHost(`cat '${workspace}/a, "b".txt'; stat -c %u '${workspace}/a, "b".txt'`)).toBe(
      'kept: ä "quote" $x\n1000',
    );
  });

  test("TG Signer has its sessions, the database among them whole", async () => {
    expect(await world.inContainer("tg-signer-web", "cat /data/sessions/jo.session")).toBe("kept");
    expect(await world.onHost(`sqlite3 ${session} 'pragma integrity_check; select name from peers'`)).toBe("ok\nada");
  });

  test("the donation site knows what was donated, its proxy has it, and nobody donates it twice", async () => {
    await asDonor(world, async (page, site) => {
      if (!(await donationIsKnown(world, page, site))) return;
      await page.goto(`${site}/donate`);
      await donate(page);
      expect(await page.getByRole("alert").innerText()).toBe("This credential was donated before.");
    });
    if (!replaced(world.sandbox, "the model proxy has the donated credential after a restore")) return;
    const key = await world.appLogin("Donation site");
    const models = await world.request("models", "/v1/models", { headers: { "x-api-key": key } });
    expect((JSON.parse(models.body) as { data: unknown[] }).data).toHaveLength(1);
  });

  test("CaseCheck's PostgreSQL has its rows, and takes new ones with the password of the new stack", async () => {
    expect(await cases.titles(await cases.token("joan", "Passphrase1"))).toEqual(["Kept activity"]);
    const admin = await cases.token("admin", await world.appLogin("CaseCheck"));
    expect((await cases.create("New activity", admin)).status).toBe(201);
    expect(await cases.titles(admin)).toEqual(["Kept activity", "New activity"]);
  });

  test("the next preview finds nothing to do", async () => {
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });
}
