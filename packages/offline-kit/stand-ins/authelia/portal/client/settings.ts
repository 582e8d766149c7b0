// Stand-in for Authelia 4.39.20: the portal's settings pages, run in the browser.
import { toString as qrSvg } from "qrcode";
import type { Configuration, Info } from "./api";
import { call, go, need } from "./api";
import { button, codeInput, dialog, element, field, notify, show } from "./dom";
import type { CreationJson } from "./webauthn";
import { createCredential } from "./webauthn";

interface Elevation {
  readonly elevated: boolean;
  readonly skip_second_factor: boolean;
}
interface TotpOptions {
  readonly algorithm: string;
  readonly length: number;
  readonly period: number;
}
interface Credential {
  readonly id: number;
  readonly description: string;
}

export async function settings(path: string): Promise<void> {
  const info = await need<Info>("POST", "/api/user/info");
  if (path.endsWith("/security")) await security(info);
  else await twoFactor(info);
}

function menu(): HTMLElement {
  const link = (id: string, text: string, path: string): HTMLElement =>
    button(
      id,
      text,
      () => {
        go(path);
      },
      true,
    );
  return element(
    "section",
    {},
    link("settings-menu-twofactor", "Two-Factor Authentication", "/settings/two-factor-authentication"),
    link("settings-menu-security", "Security", "/settings/security"),
    link("settings-menu-close", "Close", "/"),
  );
}

async function security(info: Info): Promise<void> {
  const configuration = await need<Configuration>("GET", "/api/configuration");
  const change = button("change-password-button", "Change Password", changePassword);
  change.hidden = configuration.password_change_disabled;
  show(menu(), element("section", {}, element("h1", {}, info.display_name), change));
}

async function twoFactor(info: Info): Promise<void> {
  const credentials = (await need<readonly Credential[] | null>("GET", "/api/secondfactor/webauthn/credentials")) ?? [];
  const list = element(
    "ul",
    {},
    ...credentials.map((one, index) =>
      element(
        "li",
        { id: `webauthn-credential-${index}` },
        one.description,
        " ",
        button(
          `webauthn-credential-${index}-delete`,
          "Remove",
          () =>
            elevated(async () => {
              await need("DELETE", `/api/secondfactor/webauthn/credential/${one.id}`);
              await settings("");
            }),
          true,
        ),
      ),
    ),
  );
  const totp = info.has_totp
    ? element(
        "p",
        { id: "one-time-password" },
        "Registered. ",
        button(
          "one-time-password-delete",
          "Remove",
          async () => {
            await need("DELETE", "/api/secondfactor/totp");
            await settings("");
          },
          true,
        ),
      )
    : button("one-time-password-add", "Add", () => elevated(registerTotp));
  show(
    menu(),
    element(
      "section",
      {},
      element("h1", {}, info.display_name),
      element("h2", {}, "One-Time Password"),
      totp,
      element("h2", {}, "Passkeys and security keys"),
      list,
      button("webauthn-credential-add", "Add", () => elevated(registerPasskey)),
    ),
  );
}

/** Runs the change at once when the session is elevated, after the one-time code otherwise. */
async function elevated(action: () => Promise<void>): Promise<void> {
  const state = await need<Elevation>("GET", "/api/user/session/elevation");
  if (state.elevated || state.skip_second_factor) {
    await action();
    return;
  }
  const { delete_id: deleteId } = await need<{ delete_id: string }>("POST", "/api/user/session/elevation");
  const code = field("one-time-code", "One-Time Code", { autocomplete: "one-time-code", autocapitalize: "characters" });
  const close = dialog(
    "dialog-verify-one-time-code",
    "Identity Verification",
    element("p", {}, "A one-time code was sent to you. Type it here."),
    code,
    button("dialog-verify", "Verify", async () => {
      const answer = await call("PUT", "/api/user/session/elevation", { otc: code.value });
      if (answer.status !== "OK")
        throw new Error("The One-Time Code either doesn't match the one generated or an unknown error occurred");
      close();
      await action();
    }),
    button(
      "dialog-cancel",
      "Cancel",
      async () => {
        close();
        await call("DELETE", `/api/user/session/elevation/${deleteId}`);
      },
      true,
    ),
  );
}

async function registerTotp(): Promise<void> {
  const options = await need<TotpOptions>("GET", "/api/secondfactor/totp/register");
  const place = element("section");
  const cancel = button(
    "dialog-cancel",
    "Cancel",
    async () => {
      close();
      await call("DELETE", "/api/secondfactor/totp/register");
    },
    true,
  );
  const next = button("dialog-next", "Next", secretStep);
  place.append(element("p", {}, "To begin select next"));
  const close = dialog("dialog-one-time-password", "Register One-Time Password", place, next, cancel);

  async function secretStep(): Promise<void> {
    const secret = await need<{ base32_secret: string; otpauth_url: string }>(
      "PUT",
      "/api/secondfactor/totp/register",
      options,
    );
    const picture = element("div", { id: "qr-code" });
    picture.innerHTML = await qrSvg(secret.otpauth_url, { type: "svg" });
    const url = field("secret-url", "Secret", { readonly: true, value: secret.otpauth_url });
    place.replaceChildren(picture, url, element("code", { id: "secret" }, secret.base32_secret));
    next.replaceWith(button("dialog-next", "Next", confirmStep));
  }

  function confirmStep(): void {
    place.replaceChildren(
      codeInput(options.length, async (token) => {
        const answer = await call("POST", "/api/secondfactor/totp/register", { token });
        if (answer.status !== "OK") throw new Error("The One-Time Password might be wrong");
        close();
        await settings("");
        notify("Successfully added the One-Time Password");
      }),
    );
    document.getElementById("dialog-next")?.remove();
    place.querySelector("input")?.focus();
  }
}

function registerPasskey(): Promise<void> {
  const description = field("webauthn-credential-description", "Description", { maxlength: "64" });
  const close = dialog(
    "dialog-webauthn",
    "Register WebAuthn Credential",
    description,
    button("dialog-next", "Next", async () => {
      const options = await call<CreationJson>("PUT", "/api/secondfactor/webauthn/credential/register", {
        description: description.value,
      });
      if (options.httpStatus === 409) throw new Error("A WebAuthn Credential with that Description already exists");
      if (!options.data)
        throw new Error(options.message ?? "Error occurred obtaining the WebAuthn Credential creation options");
      await need("POST", "/api/secondfactor/webauthn/credential/register", await createCredential(options.data));
      close();
      await settings("");
      notify("Successfully added the WebAuthn Credential");
    }),
    button(
      "dialog-cancel",
      "Cancel",
      () => {
        close();
      },
      true,
    ),
  );
  return Promise.resolve();
}

function changePassword(): Promise<void> {
  return elevated(() => {
    const fieldOf = (id: string, label: string): HTMLInputElement =>
      field(id, label, { type: "password", autocomplete: "new-password" });
    const old = fieldOf("old-password", "Old Password");
    const next = fieldOf("new-password", "New Password");
    const again = fieldOf("repeat-new-password", "Repeat New Password");
    const close = dialog(
      "change-password-dialog",
      "Change Password",
      old,
      next,
      again,
      button("password-change-dialog-submit", "Submit", async () => {
        if (next.value !== again.value) throw new Error("Passwords do not match");
        await need("POST", "/api/change-password", { old_password: old.value, new_password: next.value });
        close();
        notify("Password changed successfully");
      }),
      button(
        "password-change-dialog-cancel",
        "Cancel",
        () => {
          close();
        },
        true,
      ),
    );
    return Promise.resolve();
  });
}
