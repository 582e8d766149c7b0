// Drives the login portal in a real Chromium, the way a person does: works on Authelia 4.39.20 and on the sandbox's stand-in.
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { nextCode } from "./one-time-password";
import { pinnedTo } from "../../sandbox/browser/trust";

export interface BrowserOptions {
  /** The cookie domain; the portal is `auth.<domain>` and every name below it is reached at `address`. */
  readonly domain: string;
  /** An IP address, or "IP:port" when the proxy does not listen on 443. */
  readonly address: string;
  /** Only certificates of this authority are accepted. @default every certificate is */
  readonly caPem?: string;
  /** @default "auth" */
  readonly portalName?: string;
  /** @default true */
  readonly headless?: boolean;
  /** Keeps to HTTP over TCP. @default true */
  readonly disableQuic?: boolean;
  /** @default "/usr/bin/chromium" */
  readonly executablePath?: string;
  /** Other sites that are played on this machine: address by name. @default none */
  readonly neighbours?: Readonly<Record<string, string>>;
}

export interface PortalBrowser {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** "https://auth.<domain>" */
  readonly portal: string;
  close(): Promise<void>;
}

export interface VirtualPasskey {
  credentials(): Promise<
    readonly { readonly credentialId: string; readonly rpId: string; readonly isResidentCredential: boolean }[]
  >;
  remove(): Promise<void>;
}

type ReadCode = () => Promise<string>;

const portals = new WeakMap<BrowserContext, string>();
const patience = 30_000;

export async function openBrowser(options: BrowserOptions): Promise<PortalBrowser> {
  const { domain, address, caPem, portalName = "auth", headless = true, disableQuic = true, neighbours = {} } = options;
  const names = { ...neighbours, [`*.${domain}`]: address, [domain]: address };
  const trust =
    caPem === undefined ? "--ignore-certificate-errors" : await pinnedTo(address, `${portalName}.${domain}`, caPem);
  const browser = await chromium.launch({
    executablePath: options.executablePath ?? "/usr/bin/chromium",
    headless,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...(disableQuic ? ["--disable-quic"] : []),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      `--host-resolver-rules=${Object.entries(names)
        .map((rule) => ["MAP", ...rule].join(" "))
        .join(", ")}`,
      trust,
    ],
  });
  const context = await browser.newContext();
  context.setDefaultTimeout(patience);
  const portal = `https://${portalName}.${domain}`;
  portals.set(context, portal);
  const page = await context.newPage();
  return { browser, context, page, portal, close: () => browser.close() };
}

function portalOf(page: Page): string {
  const portal = portals.get(page.context());
  if (portal === undefined) throw new Error("this page was not opened by openBrowser");
  return portal;
}

/** Types name and password; opens the portal first when the page is not there yet. Returns when the portal moved on. */
export async function login(page: Page, user: string, password: string, { remember = false } = {}): Promise<void> {
  if (!page.url().startsWith(portalOf(page))) await page.goto(portalOf(page));
  await page.locator("#username-textfield").fill(user);
  await page.locator("#password-textfield").fill(password);
  if (remember) await page.locator("#remember-checkbox").check();
  const answered = page.waitForResponse((response) => response.url().endsWith("/api/firstfactor"));
  await page.locator("#sign-in-button").click();
  if (!(await answered).ok()) throw new Error(`the portal refused the password of ${user}`);
  await page.locator("#first-factor-stage").waitFor({ state: "detached" });
}

/** Registers a one-time password and gives its base32 secret. */
export async function enrolTotp(page: Page, readOneTimeCode: ReadCode): Promise<string> {
  await openSettings(page);
  await page.locator("#one-time-password-add").click();
  await proveIdentity(page, readOneTimeCode, "#dialog-next");
  await page.locator("#dialog-next").click();
  const field = page.locator("#secret-url");
  await page.waitForFunction(() =>
    document.querySelector<HTMLInputElement>("#secret-url")?.value.startsWith("otpauth://"),
  );
  const secret = new URL(await field.inputValue()).searchParams.get("secret") ?? "";
  await page.locator("#dialog-next").click();
  const answered = page.waitForResponse(
    (response) => response.url().endsWith("/totp/register") && response.request().method() === "POST",
  );
  await typeCode(page, await nextCode(secret));
  if (!(await answered).ok()) throw new Error("the portal refused the first one-time password");
  await page.locator("#one-time-password").first().waitFor();
  return secret;
}

/**
 * Answers the second-factor page with a fresh one-time password. Remove a virtual passkey first: where the portal
 * remembers passkeys as the last method, it asks for one at once and the authenticator answers before anybody can switch.
 */
export async function secondFactorTotp(page: Page, secret: string): Promise<void> {
  await page.locator("#second-factor-stage").waitFor();
  if (!(await appears(page, "#one-time-password-method", 2000))) {
    await page.locator("#methods-button").click();
    await page.locator("#one-time-password-option").click();
  }
  const answered = page.waitForResponse(
    (response) => response.url().endsWith("/api/secondfactor/totp") && response.request().method() === "POST",
  );
  await typeCode(page, await nextCode(secret));
  if (!(await answered).ok()) throw new Error("the portal refused the one-time password");
  await page.locator("#second-factor-stage").waitFor({ state: "detached" });
}

/** Answers the second-factor page with the authenticator of `addVirtualPasskey`; the portal asks for it by itself. */
export async function secondFactorPasskey(page: Page): Promise<void> {
  await page.locator("#second-factor-stage").waitFor();
  if (!(await appears(page, "#webauthn-method", 2000))) {
    await page.locator("#methods-button").click();
    await page.locator("#webauthn-option").click();
  }
  await page.locator("#second-factor-stage").waitFor({ state: "detached" });
}

/** The password after a passkey, where the server counts that as one factor only. */
export async function secondFactorPassword(page: Page, password: string): Promise<void> {
  await page.locator("#password-textfield").fill(password);
  const answered = page.waitForResponse((response) => response.url().endsWith("/api/secondfactor/password"));
  await page.locator("#sign-in-button").click();
  if (!(await answered).ok()) throw new Error("the portal refused the password");
  await page.locator("#second-factor-stage").waitFor({ state: "detached" });
}

/** A phone that unlocks by itself: an internal authenticator that keeps passkeys and verifies its owner. */
export async function addVirtualPasskey(page: Page): Promise<VirtualPasskey> {
  const client = await page.context().newCDPSession(page);
  await client.send("WebAuthn.enable");
  const { authenticatorId } = await client.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    credentials: async () =>
      (await client.send("WebAuthn.getCredentials", { authenticatorId })).credentials.map((one) => ({
        credentialId: one.credentialId,
        rpId: one.rpId ?? "",
        isResidentCredential: one.isResidentCredential,
      })),
    remove: () => client.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }).then(() => undefined),
  };
}

/** Registers the authenticator of `addVirtualPasskey` under a description. */
export async function enrolPasskey(page: Page, description: string, readOneTimeCode: ReadCode): Promise<void> {
  await openSettings(page);
  await page.locator("#webauthn-credential-add").click();
  await proveIdentity(page, readOneTimeCode, "#webauthn-credential-description");
  await page.locator("#webauthn-credential-description").fill(description);
  const answered = page.waitForResponse(
    (response) => response.url().endsWith("/credential/register") && response.request().method() === "POST",
  );
  await page.locator("#dialog-next").click();
  if (!(await answered).ok()) throw new Error("the portal refused the passkey");
  await page.getByText(description, { exact: false }).first().waitFor();
}

/** Signs in without name and password. Whether that counts as both factors is the server's configuration. */
export async function loginWithPasskey(page: Page): Promise<void> {
  if (!page.url().startsWith(portalOf(page))) await page.goto(portalOf(page));
  const answered = page.waitForResponse(
    (response) => response.url().endsWith("/api/firstfactor/passkey") && response.request().method() === "POST",
  );
  await page.locator("#passkey-sign-in-button").click();
  if (!(await answered).ok()) throw new Error("the portal refused the passkey");
  await page.locator("#first-factor-stage").waitFor({ state: "detached" });
}

export async function logout(page: Page): Promise<void> {
  await page.goto(`${portalOf(page)}/logout`);
  await page.locator("#username-textfield").waitFor();
}

async function openSettings(page: Page): Promise<void> {
  await page.goto(`${portalOf(page)}/settings/two-factor-authentication`);
}

/** The one-time code from the notification, unless this session proved itself a moment ago. */
async function proveIdentity(page: Page, readOneTimeCode: ReadCode, afterwards: string): Promise<void> {
  await page.locator(`#one-time-code, ${afterwards}`).first().waitFor();
  if (!(await page.locator("#one-time-code").isVisible())) return;
  await page.locator("#one-time-code").fill(await readOneTimeCode());
  await page.locator("#dialog-verify").click();
  await page.locator(afterwards).waitFor();
}

async function appears(page: Page, selector: string, timeout: number): Promise<boolean> {
  return page
    .locator(selector)
    .waitFor({ timeout })
    .then(
      () => true,
      () => false,
    );
}

async function typeCode(page: Page, code: string): Promise<void> {
  await page.locator("#otp-input input").first().focus();
  await page.keyboard.type(code, { delay: 20 });
}
