import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tgSigner } from "../support/least-apps";
import { TgSigner, WebDav } from "../support/tg-signer";

// What the image adds to TG Signer: its launcher and its WebDAV backup, in a real Python with the image's libraries.
let server: WebDav;
const instances: TgSigner[] = [];
beforeEach(async () => {
  server = new WebDav();
  await server.open();
});
afterEach(async () => {
  for (const one of instances.splice(0)) await one.remove();
  await server.close();
});

const secret = "hash-of-mine-0123456789abcdef";
const file = "/tg/backup.latest.tar.gz";

/** A host with a volume of its own. */
function host(session: string | undefined, more: Record<string, string> = {}): TgSigner {
  const made = new TgSigner({
    TG_API_ID: "12345678",
    TG_API_HASH: tgSigner.tgSignerApiHash,
    TG_SIGNER_WEB_ADMIN_PASSWORD: "a long passphrase",
    TG_SIGNER_WEB_SESSION_SECRET: secret.repeat(2),
    TG_SIGNER_WEB_COOKIE_SECURE: "1",
    TG_SIGNER_BACKUP_WEBDAV_URL: `http://127.0.0.1:${server.port}`,
    TG_SIGNER_BACKUP_WEBDAV_USERNAME: "jo",
    TG_SIGNER_BACKUP_WEBDAV_PASSWORD: "dav secret",
    TG_SIGNER_BACKUP_REMOTE_PATH: "/tg/",
    TG_SIGNER_BACKUP_INTERVAL_SECONDS: "3600",
    TG_SIGNER_BACKUP_ENCRYPTION_KEY: "backup passphrase",
    ...more,
  });
  instances.push(made);
  if (session !== undefined) write(made, session);
  return made;
}
const session = (of: TgSigner) => join(of.data, "sessions/jo.session_string");
const write = (of: TgSigner, text: string) => {
  writeFileSync(session(of), text);
};
const read = (of: TgSigner) => (existsSync(session(of)) ? readFileSync(session(of), "utf8") : undefined);
const onServer = () => server.files.get(file)?.toString("latin1");

async function pushed(of: TgSigner): Promise<number> {
  return (await of.post("/backup/push")).status;
}

/** The backup of another host is on the server. */
async function other(text: string): Promise<TgSigner> {
  const another = host(text);
  await another.start();
  expect(await pushed(another)).toBe(303);
  await another.stop();
  return another;
}

it("starts without the server, uses its volume, and says so once that has lasted", async () => {
  await server.close();
  const own = host("mine");
  await own.start();
  expect(read(own)).toBe("mine");
  expect(await own.health()).toBe("");
  expect(await own.health(0)).toBe("backup-failed");
  expect(own.output).toContain("WebDAV backup: not read at the start");

  // The server is back, with nothing on it: the backup is made.
  await server.open();
  expect(await pushed(own)).toBe(303);
  expect(await own.health(0)).toBe("");
  expect(onServer()).toBeDefined();
  expect(own.output).not.toContain("dav secret");
});

it("never writes over what it could not read at its start", async () => {
  await other("theirs");
  const before = onServer();
  await server.close();
  const own = host("mine");
  await own.start();
  await server.open();
  const answer = await own.post("/backup/push");
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("not overwritten") as string]);
  expect(onServer()).toBe(before);
  expect(await own.health()).toBe("backup-conflict");
});

it("takes another host's backup at its start, and keeps its own changes over a restart", async () => {
  await other("theirs");
  const own = host(undefined);
  await own.start();
  expect(read(own)).toBe("theirs");
  write(own, "changed since");
  await own.stop();
  const before = onServer();
  await own.start();
  expect(read(own)).toBe("changed since");
  // And sends them, without being asked.
  for (let tries = 0; onServer() === before && tries < 100; tries++) await sleep(50);
  expect(onServer()).not.toBe(before);
  expect(await own.health(0)).toBe("");
});

it.each([true, false])("tells of a conflict, writes nothing, and a restart ends it (ETags: %s)", async (etags) => {
  server.etags = etags;
  const own = host("first");
  await own.start();
  expect(await pushed(own)).toBe(303);
  write(own, "second");
  expect(await pushed(own)).toBe(303);
  expect(await own.health()).toBe("");

  const theirs = host(undefined);
  await theirs.start();
  write(theirs, "theirs");
  expect(await pushed(theirs)).toBe(303);
  const written = onServer();
  write(own, "third");
  expect(await pushed(own)).toBe(400);
  expect(onServer()).toBe(written);
  expect(await own.health()).toBe("backup-conflict");

  await own.stop();
  await own.start();
  expect(read(own)).toBe("theirs");
  expect(await own.health()).toBe("");
  expect(await pushed(own)).toBe(303);
});

it("does not take its own upload for another's when the answer was lost", async () => {
  const own = host("first");
  await own.start();
  server.losesAnswer = true;
  expect(await pushed(own)).toBe(500);
  server.losesAnswer = false;
  write(own, "second");
  expect(await pushed(own)).toBe(303);
  expect(await own.health(0)).toBe("");
});

it.each(["another key", "half an archive"])("keeps the volume where the backup has %s", async (what) => {
  await other("theirs");
  const whole = server.files.get(file);
  const own = host("mine", { TG_SIGNER_BACKUP_ENCRYPTION_KEY: what === "another key" ? "not that passphrase" : "" });
  if (what !== "another key" && whole) {
    const plain = host("plain", { TG_SIGNER_BACKUP_ENCRYPTION_KEY: "", TG_SIGNER_BACKUP_REMOTE_PATH: "/plain/" });
    await plain.start();
    expect(await pushed(plain)).toBe(303);
    const archive = server.files.get("/plain/backup.latest.tar.gz");
    server.files.set(file, archive?.subarray(0, archive.length / 2) ?? whole);
  }
  const before = onServer();
  await own.start();
  expect(read(own)).toBe("mine");
  expect(await pushed(own)).toBe(400);
  expect(onServer()).toBe(before);
});

it("has no page that shows or stores its settings, and takes secrets out of what that page stored", async () => {
  const own = host("mine", { TG_PROXY: "socks5://jo:secret@192.0.2.1:1080" });
  const config = join(own.data, "web.config.json");
  const old = { api_id: 1, api_hash: secret, proxy: secret, admin_password: secret, session_secret: secret };
  writeFileSync(config, JSON.stringify({ ...old, admin_username: "admin", webdav: { password: secret } }));
  await own.start();
  expect(JSON.parse(readFileSync(config, "utf8"))).toEqual({ api_id: 1, admin_username: "admin" });
  const answer = await own.post("/settings");
  expect(answer.status).toBe(405);
  const page = await own.get("/settings");
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("pulumi config set tgSigner…");
});

it("reads user and password of its proxy as they were meant", async () => {
  const own = host(undefined);
  const password = `p:@% é'"$HOME\\`;
  const address = `socks5://j%40o:${encodeURIComponent(password)}@proxy.example.com:1080`;
  expect(await own.proxy(address)).toEqual(["j@o", password, "proxy.example.com", 1080]);
  expect(await own.proxy("http://proxy.example.com:80")).toEqual([null, null, "proxy.example.com", 80]);
});

it("ends within seconds while a page with a live log is open", async () => {
  const own = host("mine");
  mkdirSync(join(own.data, "runs/7"), { recursive: true });
  await own.start();
  await own.post("/login");
  const stream = await own.get("/runs/7/logs/stream");
  expect(stream.headers.get("content-type")).toContain("text/event-stream");
  expect(await own.stop()).toBeLessThan(8);
});
