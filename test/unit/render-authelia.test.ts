import { parse } from "yaml";
import argon2 from "argon2";
import { enabledApps } from "../../components/apps/registry";
import { type Route, hostOf, indexIcons, isPrefix } from "../../components/routes";
import { configurations } from "../support/configurations";
import { type ProgramRun, runProgram } from "../support/program";
import { type ArrivedFile, arrivedFiles } from "../support/releases";
import { settingsOf } from "../support/settings";

interface Rule {
  readonly domain: string;
  readonly policy: string;
  readonly resources?: readonly string[];
}

interface Configuration {
  readonly access_control: { readonly default_policy: string; readonly rules: readonly Rule[] };
  readonly session: {
    readonly cookies: readonly { readonly domain: string; readonly authelia_url: string }[];
    readonly inactivity: string;
    readonly expiration: string;
    readonly remember_me: string | number;
  };
  readonly webauthn: Readonly<Record<string, unknown>>;
  readonly totp: Readonly<Record<string, unknown>>;
  readonly notifier: {
    readonly smtp?: Readonly<Record<string, string>>;
    readonly filesystem?: { readonly filename: string };
  };
  readonly authentication_backend: { readonly password_reset: { readonly disable: boolean } };
}

interface Users {
  readonly users: Readonly<
    Record<string, { readonly password: string; readonly email: string; readonly groups: readonly string[] }>
  >;
}

/** A rule for each path that differs, and one for the rest. */
function rulesOf({ paths, policy, ...route }: Route, domain: string): Rule[] {
  const host = hostOf(route, domain);
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return [
    ...paths.map(({ path, policy: own = policy }) => ({
      domain: host,
      policy: own,
      resources: [isPrefix(path) ? `^${literal(path.slice(0, -2))}([/?].*)?$` : `^${literal(path)}(\\?.*)?$`],
    })),
    { domain: host, policy },
  ];
}

describe.each(configurations)("with %s", (_name, settings) => {
  const domain = settings["domain"] ?? "203-0-113-7.sslip.io";
  const tgSigner = settings["tgSignerEnabled"] ? [`${settings["tgSignerSubdomain"] ?? "tg"}.${domain}`] : [];
  const opened = (key: string, paths: readonly string[]) => {
    const host = `${settings[key] ?? ""}.${domain}`;
    const rules = paths.map((path) => ({ domain: host, policy: "bypass", resources: [path] }));
    return settings["donationEnabled"] ? [...rules, { domain: host, policy: "two_factor" }] : [];
  };
  const pages = [
    "",
    "style\\.css",
    "linuxdo/login",
    "linuxdo/callback",
    "bind",
    "unbind",
    "donate",
    "status",
    "logout",
  ];
  const donation = opened(
    "donationSubdomain",
    pages.map((page) => `^/${page}(\\?.*)?$`),
  );
  const proxy = opened("donationProxySubdomain", ["^/v1([/?].*)?$", "^/v1beta([/?].*)?$"]);
  const casecheck =
    settings["casecheckOpen"] === "true" ? [`${settings["casecheckSubdomain"] ?? "casecheck"}.${domain}`] : [];
  const previews = JSON.parse(settings["opencodePreviews"] ?? "[]") as number[];
  const lwsandbox = settings["lwsandboxEnabled"] ? [`${settings["lwsandboxSubdomain"] ?? "sandbox"}.${domain}`] : [];
  const username = settings["adminUsername"] ?? "admin";
  let run: ProgramRun;
  let files: ReadonlyMap<string, ArrivedFile>;
  let configuration: Configuration;
  const text = (path: string) => files.get(path)?.content ?? "";

  beforeAll(async () => {
    run = await runProgram(settings);
    files = await arrivedFiles(run, "auth-release");
    configuration = parse(text("configuration.yml"), { strict: true, uniqueKeys: true }) as Configuration;
  });

  it("nobody passes where no rule says so, and every rule asks for two factors, but for what an App opens", () => {
    const { default_policy, rules } = configuration.access_control;
    expect(default_policy).toBe("deny");
    const twoFactor = (host: string): Rule => ({ domain: host, policy: "two_factor" });
    // What these Apps open is spelt out here; of another App the rules say what its Routes do.
    const known: Readonly<Record<string, readonly Rule[]>> = {
      opencode: ["", ...previews.map((port) => `${port}-`)].map((label) =>
        twoFactor(`${label}${settings["opencodeSubdomain"] ?? "code"}.${domain}`),
      ),
      "tg-signer": tgSigner.map(twoFactor),
      donation: [...donation, ...proxy],
      casecheck: casecheck.flatMap((host) => [
        ...["^/(\\?.*)?$", "^/check-in(\\?.*)?$", "^/assets([/?].*)?$", "^/health(\\?.*)?$", "^/v1([/?].*)?$"].map(
          (expression) => ({ domain: host, policy: "bypass", resources: [expression] }),
        ),
        twoFactor(host),
      ]),
      lwsandbox: lwsandbox.flatMap((host) => [
        ...(settings["lwsandboxHealth"] === "true"
          ? [{ domain: host, policy: "bypass", resources: ["^/health(\\?.*)?$"] } as const]
          : []),
        twoFactor(host),
      ]),
    };
    const ofApps = enabledApps(settingsOf(settings)).flatMap(
      ({ name, routes }) => known[name] ?? routes.flatMap((route) => rulesOf(route, domain)),
    );
    const icons = indexIcons.map((path) => `^${path.replaceAll(".", "\\.")}(\\?.*)?$`);
    expect(rules).toEqual([
      ...ofApps,
      { domain, policy: "bypass", resources: icons },
      { domain, policy: "two_factor" },
    ]);
  });

  it("the login cookie is for the domain, the portal on a host of its own below it", () => {
    expect(configuration.session.cookies).toEqual([
      { domain, authelia_url: `https://auth.${domain}`, default_redirection_url: `https://${domain}` },
    ]);
  });

  it("a session lasts as long as the settings say", () => {
    const { inactivity, expiration, remember_me: remembered } = configuration.session;
    const off = settings["sessionRemembered"] === "off";
    expect([inactivity, expiration, remembered]).toEqual([
      settings["sessionInactivity"] ?? "1d",
      settings["sessionLifetime"] ?? "7d",
      off ? -1 : (settings["sessionRemembered"] ?? "1M"),
    ]);
  });

  it("authenticator apps and passkeys are named after the domain, and a passkey is enough by itself", () => {
    expect(configuration.totp).toEqual({ issuer: domain });
    expect(configuration.webauthn).toMatchObject({
      display_name: domain,
      enable_passkey_login: true,
      selection_criteria: { discoverability: "required", user_verification: "required" },
    });
  });

  it("one-time codes go to the mail server, or to a file where there is none", () => {
    const { smtp, filesystem } = configuration.notifier;
    expect(smtp).toEqual(
      settings["smtpAddress"] && {
        address: settings["smtpAddress"],
        sender: settings["smtpSender"],
        username: settings["smtpUsername"],
      },
    );
    expect(filesystem).toEqual(smtp ? undefined : { filename: "/config/notification.txt" });
  });

  it("the operator's entry holds name, address and a hash that the password matches", async () => {
    const { users } = parse(text("operator.yml"), { strict: true, uniqueKeys: true }) as Users;
    expect(Object.keys(users)).toEqual([username]);
    const { password = "", email, groups } = users[username] ?? {};
    expect(email).toBe(settings["adminEmail"] ?? `${username}@${domain}`);
    expect(groups).toEqual(["admins"]);
    const plain = settings["adminPassword"] ?? run.resource("auth-password").outputs["result"] ?? "";
    expect(await argon2.verify(password, plain)).toBe(true);
  });

  it("secrets lie in files of Authelia's own user that nobody else may read, and in no other file", () => {
    const generated = (name: string) => run.resource(`auth-${name}`).outputs["result"] ?? "";
    const secrets = {
      "secrets/session": generated("session-secret"),
      "secrets/reset": generated("reset-secret"),
      "secrets/encryption-key": generated("encryption-key"),
      "secrets/smtp-password": settings["smtpPassword"] ?? "",
    };
    for (const [path, secret] of Object.entries(secrets)) {
      expect(files.get(path)).toMatchObject({ content: secret, uid: 8000, mode: 0o400 });
      const others = [...files.values()].filter((file) => !file.path.endsWith(path) && file.path !== "release/secrets");
      if (secret) expect(others.filter(({ content }) => content.includes(secret))).toEqual([]);
    }
  });

  it("the configuration is Authelia's to read, the operator's entry root's", () => {
    expect(files.get("configuration.yml")).toMatchObject({ uid: 8000, mode: 0o400 });
    expect(files.get("operator.yml")).toMatchObject({ uid: 0, mode: 0o400 });
  });

  it("the host knows every secret that it must keep out of an error", () => {
    const lines = text("secrets").split("\n");
    for (const name of ["session-secret", "reset-secret", "encryption-key"]) {
      expect(lines).toContain(run.resource(`auth-${name}`).outputs["result"]);
    }
    for (const line of (settings["smtpPassword"] ?? "").split("\n")) expect(lines).toContain(line);
  });
});

it("a mail server without a name to log in with is used without one", async () => {
  const run = await runProgram({ smtpAddress: "smtp://mx.example.com:25" });
  const configuration = parse(
    (await arrivedFiles(run, "auth-release")).get("configuration.yml")?.content ?? "",
  ) as Configuration;
  expect(configuration.notifier.smtp).toEqual({
    address: "smtp://mx.example.com:25",
    sender: "admin@203-0-113-7.sslip.io",
  });
  expect(configuration.authentication_backend.password_reset.disable).toBe(false);
});
