import * as pulumi from "@pulumi/pulumi";
import { tgSigner } from "../support/least-apps";
import { runProgram } from "../support/program";

/** What the whole program warns of, in a preview as in an update. */
async function warnings(settings: Record<string, string>): Promise<string[]> {
  const said: string[] = [];
  const spy = jest.spyOn(pulumi.log, "warn").mockImplementation((text) => Promise.resolve(void said.push(text)));
  try {
    await runProgram(settings);
  } finally {
    spy.mockRestore();
  }
  return said;
}

const webdav = {
  ...tgSigner,
  tgSignerWebdavUrl: "https://dav.example.com",
  tgSignerWebdavUsername: "jo",
  tgSignerWebdavPassword: "dav secret",
  tgSignerWebdavPath: "/tg/",
  tgSignerWebdavReplacesVolume: "true",
};

it("one warning says that TG Signer's WebDAV backup is not encrypted, and how to change that", async () => {
  expect(await warnings(webdav)).toEqual([
    "tgSignerWebdavEncryptionKey is not set: anyone who can read the WebDAV server has your Telegram accounts\n    fix: pulumi config set --secret tgSignerWebdavEncryptionKey 'a passphrase you also keep elsewhere'",
  ]);
});

it.each<[string, Record<string, string>]>([
  ["with the key", { ...webdav, tgSignerWebdavEncryptionKey: "a long passphrase" }],
  ["without a WebDAV backup", tgSigner],
  ["while TG Signer is off", { ...webdav, tgSignerEnabled: "false" }],
])("there is none %s", async (_when, settings) => {
  expect(await warnings(settings)).toEqual([]);
});
