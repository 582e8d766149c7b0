import { setTimeout as sleep } from "node:timers/promises";
import { type NewApiServer, startNewApi } from "@cloudcode/donation-site/testing/new-api";
import { type OAuthServer, startOAuthServer } from "@cloudcode/donation-site/testing/oauth-server";
import type { Page } from "playwright-core";
import { run } from "../../../cli/run";
import { login, secondFactorTotp } from "../../browser/portal";
import { World, username } from "../world";

/** Secrets of the operator's, with the letters that each place lets pass. */
export const appSecrets = {
  adminPassword: "the operator's long passphrase",
  tgSignerApiHash: "0123456789abcdef0123456789abcdef",
  tgSignerProxy: "socks5://jo:pr0xy%20secret@192.0.2.1:1080",
  tgSignerAdminPassword: `tg 'pass' "phrase" $HOME & <b>#{{x}}\\n %41 ü`,
  donationLinuxDoClientSecret: `linux 'do' "secret" $HOME & <b>#{{x}}\\n ü`,
  donationNewApiAdminToken: "new-api-$HOME-'token'-\"&<>#",
} as const;

/** The three Apps with the least they need, and an administrator of the donation site. */
export const appSettings = {
  opencodeEnabled: "false",
  tgSignerEnabled: "true",
  tgSignerApiId: "12345678",
  donationEnabled: "true",
  donationLinuxDoClientId: "client",
  donationAdminLinuxDoIds: ["7"],
  donationQuotaAmount: "500",
  casecheckEnabled: "true",
};

/** The services of each App that keep running, and the port where each listens inside. */
export const apps: Readonly<Record<string, Readonly<Record<string, number | undefined>>>> = {
  "tg-signer": { web: 8000 },
  donation: { site: 3000, proxy: 8317 },
  casecheck: { database: 5432, opa: 8181, api: 8000, web: 8080, backup: undefined },
};

/** What the scenarios share: also the servers that the donation site talks to outside, played here. */
export class AppsWorld extends World {
  /** What could be seen during {@link watchedUp}: its own words, and process lists here and on the host. */
  readonly seen = { output: "", processes: "" };
  /** Base32 secret of the operator's authenticator app, once it is enrolled. */
  totp = "";
  #oauth: OAuthServer | undefined;
  #newApi: NewApiServer | undefined;

  get oauth(): OAuthServer {
    if (!this.#oauth) throw new Error("the servers outside are not started yet");
    return this.#oauth;
  }

  get newApi(): NewApiServer {
    if (!this.#newApi) throw new Error("the servers outside are not started yet");
    return this.#newApi;
  }

  /** They listen where the host reaches them, and the stack has their addresses. */
  async startOutside(): Promise<void> {
    const { gateway } = this.sandbox.host;
    const client = {
      id: "client",
      secret: appSecrets.donationLinuxDoClientSecret,
      redirectUri: () => `https://donate.${this.domain}/linuxdo/callback`,
    };
    this.#oauth = await startOAuthServer(client, gateway);
    this.#newApi = await startNewApi(gateway);
    this.sandbox.configure({
      donationLinuxDoAuthUrl: `${this.oauth.url}/authorize`,
      donationLinuxDoTokenUrl: `${this.oauth.url}/token`,
      donationLinuxDoUserUrl: `${this.oauth.url}/user`,
      donationNewApiUrl: this.newApi.url,
    });
  }

  stopOutside(): void {
    this.#oauth?.stop();
    this.#newApi?.stop();
  }

  async watchedUp(): Promise<void> {
    const up = this.up("--diff");
    const ended = up.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([ended, sleep(300, false)]))) {
      const here = await run("ps", ["-eo", "args"]);
      // The test's own look at the host would find itself.
      this.seen.processes += here.stdout + (await this.onHost("ps -eo args").catch(() => ""));
    }
    this.seen.output = await up;
  }

  /** Signs the operator in with password and authenticator app, and keeps the session for requests. */
  async signIn(page: Page): Promise<void> {
    await login(page, username, appSecrets.adminPassword, { remember: true });
    await secondFactorTotp(page, this.totp);
    await this.keepSession(page.context());
  }

  /** What a command prints that runs inside a container. */
  inContainer(service: string, script: string): Promise<string> {
    return this.sandbox
      .exec(["docker", "exec", `cloudcode-${service}-1`, "sh", "-c", script])
      .then(({ stdout }) => stdout.trim());
  }

  /** Password of an App's own login, as the operator asks for it. */
  async appLogin(title: string): Promise<string> {
    const { stdout } = await this.sandbox.pulumi(["stack", "output", "appLogins", "--json", "--show-secrets"]);
    const login = (JSON.parse(stdout) as Record<string, { password: string } | undefined>)[title];
    if (login === undefined) throw new Error(`no login of ${title} in the outputs`);
    return login.password;
  }
}
