import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bcryptVerify } from "hash-wasm";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { enabledApps } from "../../components/apps/registry";
import { hashBasicPassword } from "../../components/reverse-proxy/password-hash";
import { policyFor } from "../support/access";
import { type Project, composeConfig, secretFiles } from "../support/compose";
import { tgSigner } from "../support/least-apps";
import { textOf } from "../support/plain";
import { type ProgramRun, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { type ReleaseName, archiveOf, type UnpackedStack, arrivedFiles, unpack } from "../support/releases";
import { faultsOf, settingsOf } from "../support/settings";
import { caddy, caddyHome } from "../support/tools";

const domain = "home.example.com";
const webdav = {
  tgSignerWebdavUrl: "https://dav.example.com",
  tgSignerWebdavUsername: "jo",
  tgSignerWebdavPassword: "dav secret",
  tgSignerWebdavPath: "/tg/",
};
const basic = { ...tgSigner, tgSignerOuterLogin: "basic" };

describe("TG Signer's settings", () => {
  const trap =
    "tgSignerWebdavReplacesVolume is not true: where the backup on the server is not what this host wrote last, a start deletes the sessions and tasks on the volume and loads that backup, which may be older";
  const all = "a WebDAV backup needs all four of its settings";
  it.each<[string, Record<string, string>, string[]]>([
    [
      "nothing but the switch",
      { tgSignerEnabled: "true" },
      [
        "tgSignerApiId is missing: TG Signer needs your own Telegram app",
        "tgSignerApiHash is missing: TG Signer needs your own Telegram app",
      ],
    ],
    [
      "an api_hash that is none",
      { ...tgSigner, tgSignerApiHash: "xyz" },
      ["tgSignerApiHash is not an api_hash: 32 digits of 0-9 and a-f"],
    ],
    ["an api_id that is none", { ...tgSigner, tgSignerApiId: "0" }, ["tgSignerApiId is below 1"]],
    [
      "a proxy that is none",
      { ...tgSigner, tgSignerProxy: "proxy:1080" },
      ["tgSignerProxy is not a socks5://, socks4:// or http:// address"],
    ],
    ...(
      [
        ["socks5://jo:50%@proxy.example.com", "has a % that is not an escape: write %25"],
        ["socks5://jo:%ff@proxy.example.com", "has a % that is not an escape: write %25"],
        ["socks5://jo%3Aann:pw@proxy.example.com", "has a colon in its user, which ends it"],
        ...["%2F", "%3f", "%23", "%5B", "%0a", "%E2%84%80", "%EF%BC%A0"].map(
          (letter) =>
            [
              `http://jo:a${letter}b@proxy.example.com`,
              "has /, ?, #, [, ] or a control character in its user or password, which TG Signer cannot take",
            ] as const,
        ),
      ] as const
    ).map(
      ([tgSignerProxy, fault]) =>
        [`the proxy ${tgSignerProxy}`, { ...tgSigner, tgSignerProxy }, [`tgSignerProxy ${fault}`]] satisfies [
          string,
          Record<string, string>,
          string[],
        ],
    ),
    [
      "a WebDAV backup that everybody on the way can read",
      { ...tgSigner, ...webdav, tgSignerWebdavUrl: "http://dav.example.com", tgSignerWebdavReplacesVolume: "true" },
      ["tgSignerWebdavUrl is not an https:// address"],
    ],
    ["a WebDAV backup without confirmation", { ...tgSigner, ...webdav }, [trap]],
    [
      "half of a WebDAV backup",
      { ...tgSigner, tgSignerWebdavUrl: "https://dav.example.com", tgSignerWebdavReplacesVolume: "true" },
      ["Username", "Password", "Path"].map((word) => `tgSignerWebdav${word} is missing: ${all}`),
    ],
    [
      "a key for a backup that is off",
      { ...tgSigner, tgSignerWebdavEncryptionKey: "a long passphrase" },
      ["tgSignerWebdavUrl is missing: tgSignerWebdavEncryptionKey is set"],
    ],
    [
      "a backup more often than TG Signer can",
      { ...tgSigner, tgSignerWebdavIntervalSeconds: "29" },
      ["tgSignerWebdavIntervalSeconds is below 30"],
    ],
    [
      "a password that TG Signer would change",
      { ...tgSigner, tgSignerAdminPassword: "a long passphrase " },
      ["tgSignerAdminPassword begins or ends with a space, which TG Signer removes"],
    ],
    [
      "a word for the outer login",
      { ...tgSigner, tgSignerOuterLogin: "none" },
      ["tgSignerOuterLogin is neither authelia nor basic"],
    ],
    [
      "a password that nobody would ask for",
      { ...tgSigner, tgSignerBasicPassword: "a long passphrase" },
      ["tgSignerBasicPassword has no effect while tgSignerOuterLogin is not basic"],
    ],
    [
      "a password that bcrypt would cut",
      { ...basic, tgSignerBasicPassword: "é".repeat(37) },
      ["tgSignerBasicPassword is longer than 72 bytes"],
    ],
    [
      "OpenCode's subdomain",
      { ...tgSigner, tgSignerSubdomain: "code" },
      ["tgSignerSubdomain is already the subdomain of opencodeSubdomain"],
    ],
  ])("refuse %s", (_what, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it.each<[string, Record<string, string>]>([
    ["the least it needs", tgSigner],
    ["a confirmed WebDAV backup", { ...tgSigner, ...webdav, tgSignerWebdavReplacesVolume: "true" }],
    ["a password at Caddy", { ...basic, tgSignerBasicPassword: "é".repeat(36) }],
    ["anything while it is off", { ...webdav, tgSignerSubdomain: "code", tgSignerBasicPassword: "a long passphrase" }],
  ])("accept %s", (_what, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });
});

describe("TG Signer's Route", () => {
  const routesOf = (settings: Record<string, string>) =>
    enabledApps(settingsOf({ domain, ...settings })).flatMap(({ routes }) => routes);

  it("is there only while TG Signer is on", () => {
    expect(routesOf({}).map(({ title }) => title)).toEqual(["OpenCode"]);
    expect(routesOf(tgSigner).map(({ title }) => title)).toEqual(["OpenCode", "TG Signer"]);
  });

  it.each(["/", "/login", "/healthz", "/runs/1/logs/stream", "/docs", "/openapi.json", "/settings?guide=1"])(
    "has no way around two factors at %s, whichever login stands outside",
    (path) => {
      for (const settings of [tgSigner, basic]) {
        expect(policyFor(routesOf(settings), domain, `tg.${domain}`, path)).toBe("two_factor");
      }
      expect(policyFor(routesOf({}), domain, `tg.${domain}`, path)).toBe("deny");
    },
  );
});

describe("TG Signer's stack", () => {
  let stack: UnpackedStack;
  let project: Project;
  let run: ProgramRun;
  const settings = {
    ...tgSigner,
    ...webdav,
    tgSignerWebdavReplacesVolume: "true",
    tgSignerWebdavEncryptionKey: "backup passphrase",
    tgSignerProxy: "socks5://j%40o:p%3Ass%25%20%C3%A9@proxy.example.com:1080",
    tgSignerAdminPassword: "passphrase of tg signer",
    timeZone: "Asia/Shanghai",
  };
  beforeAll(async () => {
    run = await runProgram(settings);
    stack = unpack(run, "tg-signer-release");
    project = await composeConfig(stack.composeFile, stack.folder);
  });
  afterAll(() => {
    stack.remove();
  });

  it("is one instance with an init, 10 s to stop, a data volume and nothing else it can write to", () => {
    expect(Object.keys(project.services)).toEqual(["web"]);
    expect(project.services["web"]).toMatchObject({
      init: true,
      stop_grace_period: "10s",
      user: "1000:1000",
      read_only: true,
      tmpfs: ["/tmp"],
    });
    const writable = project.services["web"]?.volumes?.filter(({ read_only }) => read_only !== true);
    expect(writable).toMatchObject([{ type: "volume", source: "data", target: "/data" }]);
    expect(project.services["web"]).not.toHaveProperty("deploy.replicas");
  });

  it("gets its plain values by environment, with a secure cookie", () => {
    expect(project.services["web"]?.environment).toEqual({
      TZ: "Asia/Shanghai",
      HOME: "/tmp",
      TG_SIGNER_DATA_DIR: "/data",
      TG_API_ID: "12345678",
      TG_SIGNER_WEB_COOKIE_SECURE: "1",
      FORWARDED_ALLOW_IPS: "*",
      TG_SIGNER_BACKUP_WEBDAV_URL: "https://dav.example.com",
      TG_SIGNER_BACKUP_WEBDAV_USERNAME: "jo",
      TG_SIGNER_BACKUP_REMOTE_PATH: "/tg/",
      TG_SIGNER_BACKUP_INTERVAL_SECONDS: "300",
    });
  });

  it("gets each secret in a file of its variable's name, which only its user can read", async () => {
    const files = await arrivedFiles(run, "tg-signer-release");
    const secrets = {
      TG_API_HASH: tgSigner.tgSignerApiHash,
      TG_PROXY: settings.tgSignerProxy,
      TG_SIGNER_BACKUP_WEBDAV_PASSWORD: settings.tgSignerWebdavPassword,
      TG_SIGNER_BACKUP_ENCRYPTION_KEY: settings.tgSignerWebdavEncryptionKey,
      TG_SIGNER_WEB_ADMIN_PASSWORD: settings.tgSignerAdminPassword,
      TG_SIGNER_WEB_SESSION_SECRET: run.resource("tg-signer-TG_SIGNER_WEB_SESSION_SECRET").outputs["result"],
    };
    const mounted = secretFiles(project.services["web"] ?? {});
    for (const [name, content] of Object.entries(secrets)) {
      expect(files.get(name)).toMatchObject({ content, mode: 0o400, uid: 1000 });
      expect(readFileSync(mounted[name] ?? "", "utf8")).toBe(content);
    }
    expect(Object.keys(mounted).sort()).toEqual(Object.keys(secrets).sort());
  });

  it("turns those files into variables, and an empty or missing one into none", () => {
    const folder = mkdtempSync(join(tmpdir(), "tg-"));
    const secrets = join(folder, "secrets");
    try {
      const entrypoint = readFileSync(join(projectRoot, "stack-templates/tg-signer/image/entrypoint.sh"), "utf8");
      mkdirSync(secrets);
      writeFileSync(join(secrets, "TG_PROXY"), "");
      writeFileSync(join(secrets, "TG_API_HASH"), `$HOME "'\\ # é`);
      writeFileSync(join(folder, "entrypoint.sh"), entrypoint.replace("/run/secrets", secrets));
      writeFileSync(join(folder, "python"), '#!/bin/sh\nprintf "%s|%s" "$TG_API_HASH" "${TG_PROXY-none}"\n', {
        mode: 0o755,
      });
      const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}`, HOME: "/" };
      expect(execFileSync("sh", [join(folder, "entrypoint.sh")], { encoding: "utf8", env })).toBe(
        `$HOME "'\\ # é|none`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is built from the pinned commit, or from the one that was set", async () => {
    const dockerfile = async (of: ProgramRun) =>
      (await arrivedFiles(of, "tg-signer-release")).get("image/Dockerfile")?.content;
    expect(await dockerfile(run)).toContain(
      "git fetch --quiet --depth 1 https://github.com/wosa1402/wosa-tg-qiandao c300d734ad0ebe44be19dada126b9df8fc18e29b",
    );
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const other = { ...tgSigner, sources: JSON.stringify({ tgSigner: `https://git.example.com:8443/tg~1#${commit}` }) };
    expect(await dockerfile(await runProgram(other))).toContain(`'https://git.example.com:8443/tg~1' ${commit}`);
  });

  it("stays as it is when anything but its own settings changes, also its address and its outer login", async () => {
    const release = async (changes: Record<string, string>) =>
      (await runProgram({ ...settings, ...changes })).resource("tg-signer-release").inputs["create"];
    const own = run.resource("tg-signer-release").inputs["create"];
    const others: Record<string, string>[] = [
      { domain },
      { tgSignerSubdomain: "checkins" },
      { tgSignerOuterLogin: "basic" },
      { opencodeEnabled: "false" },
      { adminPassword: "a long passphrase of mine" },
    ];
    for (const change of others) expect(await release(change)).toBe(own);
    expect(await release({ tgSignerMemoryMiB: "1024" })).not.toBe(own);
    expect(await release({ tgSignerProxy: "socks5://other.example.com:1080" })).not.toBe(own);
  });
});

describe("TG Signer's logins", () => {
  const logins = (run: ProgramRun) => run.outputs["appLogins"];

  it("are its own with a generated password, or the one that was set", async () => {
    const generated = await runProgram(tgSigner);
    expect(logins(generated)).toEqual({
      secret: true,
      value: { "TG Signer": { username: "admin", password: expect.stringMatching(/^[A-Za-z0-9]{24}$/) as unknown } },
    });
    const own = await runProgram({ ...tgSigner, tgSignerAdminPassword: "a long passphrase" });
    expect(logins(own)?.value).toEqual({ "TG Signer": { username: "admin", password: "a long passphrase" } });
  });

  it("with basic have a password of Caddy's own, whose hash alone reaches the host and is the same at every run", async () => {
    const given = { ...basic, tgSignerBasicUsername: "jo", tgSignerBasicPassword: "a door passphrase" };
    const caddyfile = async (run: ProgramRun) =>
      (await arrivedFiles(run, "edge-release")).get("live/Caddyfile")?.content ?? "";
    const run = await runProgram(given);
    expect(logins(run)?.value).toMatchObject({
      "TG Signer (basic auth)": { username: "jo", password: "a door passphrase" },
    });
    const text = await caddyfile(run);
    const [, hash = ""] = /`jo` `(\$2[aby]\$06\$[./A-Za-z0-9]{53})`/.exec(text) ?? [];
    await expect(bcryptVerify({ password: "a door passphrase", hash })).resolves.toBe(true);
    expect(await caddyfile(await runProgram(given))).toBe(text);
    const released = run.resources.filter(({ name }) => name.endsWith("-release"));
    expect(released.length).toBeGreaterThan(3);
    for (const { name, inputs } of released) {
      expect(archiveOf(run, name as ReleaseName).toString("latin1")).not.toContain("a door passphrase");
      expect(textOf(inputs["create"])).not.toContain(hash);
    }
    const generated = await runProgram(basic);
    expect(generated.resource("edge-tg-password").outputs["result"]).toMatch(/^[A-Za-z0-9]{24}$/);
  });

  it("the real Caddy lets in with the password and with no other", async () => {
    const password = "pässword $HOME \"'`\\ {x}";
    const hash = await hashBasicPassword(password, Buffer.alloc(16, 7).toString("base64"));
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "caddy-"));
    const file = join(folder, "Caddyfile");
    writeFileSync(
      file,
      `{\n\tadmin off\n}\nhttp://127.0.0.1:${port} {\n\tbasic_auth bcrypt {\n\t\t\`jo\` \`${hash}\`\n\t}\n\trespond inside\n}\n`,
    );
    const server = spawn(await caddy(), ["run", "--adapter", "caddyfile", "--config", file], {
      env: caddyHome(folder),
      stdio: "ignore",
    });
    try {
      const ask = (headers: Record<string, string>) =>
        fetch(`http://127.0.0.1:${port}/runs/1/logs/stream`, { headers });
      const login = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString("base64")}` });
      const tries: Record<string, string>[] = [{}, login("jo:"), login(`jo:${password}x`), login(`admin:${password}`)];
      expect(await eventually(async () => (await ask(login(`jo:${password}`))).text())).toBe("inside");
      for (const headers of tries) expect((await ask(headers)).status).toBe(401);
    } finally {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

async function eventually<T>(attempt: () => Promise<T>, tries = 100): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (tries === 0) throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return eventually(attempt, tries - 1);
  }
}
