// The login of a Telegram account through TG Signer's page, as far as it gets without Telegram: to the first call, by the proxy. And what stays of
// an account. TG_SIGNER_SOURCES=/folder runs the original, of the pinned commit.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tgSigner } from "../support/least-apps";
import { Telegram } from "../support/telegram";
import { TgSigner } from "../support/tg-signer";

// The first run installs the libraries.
jest.setTimeout(5 * 60_000);

const [first, second] = [new Telegram("jo", "p@ss word"), new Telegram("other", "another")];
const instances: TgSigner[] = [];
beforeAll(async () => {
  await first.open();
  await second.open();
});
afterAll(async () => {
  for (const one of instances) await one.remove();
  first.close();
  second.close();
});

/** A new container with a proxy. */
function container(proxy: string): TgSigner {
  const made = new TgSigner({
    TG_API_ID: "12345678",
    TG_API_HASH: tgSigner.tgSignerApiHash,
    TG_PROXY: proxy,
    TG_SIGNER_WEB_ADMIN_PASSWORD: "a long passphrase",
    TG_SIGNER_WEB_SESSION_SECRET: "0123456789abcdef".repeat(4),
    TG_SIGNER_WEB_COOKIE_SECURE: "1",
  });
  instances.push(made);
  return made;
}

const throughFirst = () => container(`socks5://jo:p%40ss%20word@127.0.0.1:${first.port}`);
const throughSecond = () => container(`socks5://other:another@127.0.0.1:${second.port}`);
const files = {
  "sessions/jo.session_string": "what Telegram gave",
  "workdir/signs/daily/config.json": "{}",
  "runs/1/run.log": "signed\n",
};
const kept = ({ data }: TgSigner) => Object.keys(files).map((name) => readFileSync(join(data, name), "utf8"));
const dataCenter = { to: expect.stringMatching(/^149\.154\.\d+\.\d+:443$/) as unknown, what: "be7e8ef1" };

test("the login goes by the proxy to Telegram, and its first call is MTProto's; account, session, tasks and logs stay", async () => {
  const old = throughFirst();
  await old.start();
  expect((await old.post("/accounts", { account_name: "jo" })).status).toBe(303);
  const answer = old.post("/accounts/jo/login/start", { phone_number: "+9996612345" });
  expect(await first.first()).toEqual(dataCenter);
  expect(old.output).not.toContain("p@ss word");
  void answer.catch(() => undefined);

  // What a login leaves behind, had Telegram answered.
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(old.data, name)), { recursive: true });
    writeFileSync(join(old.data, name), content);
  }
  expect(await old.stop()).toBeLessThan(12);

  // An update: another process on the same volume.
  await old.start();
  expect(kept(old)).toEqual(Object.values(files));
  await old.stop();

  // A restore on another host, with another proxy.
  const next = throughSecond();
  cpSync(old.data, next.data, { recursive: true });
  await next.start();
  expect(kept(next)).toEqual(Object.values(files));
  await next.post("/accounts", { account_name: "ann" });
  expect(await (await next.get("/accounts")).text()).toMatch(/ann[^]*jo|jo[^]*ann/);
  void next.post("/accounts/ann/login/start", { phone_number: "+9996612346" }).catch(() => undefined);
  expect(await second.first()).toEqual(dataCenter);
  expect([first.refused, second.refused]).toEqual([0, 0]);
});
