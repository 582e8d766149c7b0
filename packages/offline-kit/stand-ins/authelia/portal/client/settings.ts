// Stand-in for Authelia 4.39.20: the portal's page for second factors, run in the browser.
import { toString as qrSvg } from "qrcode";
import type { Info } from "./api";
import { call, go, need } from "./api";
import { button, codeInput, dialog, element, field, notify, show } from "./dom";
import type { CreationJson } from "./webauthn";
import { createCredential } from "./webauthn";

interface Credential {
  readonly description: string;
}

export async function settings(): Promise<void> {
  const info = await need<Info>("POST", "/api/user/info");
  const credentials = (await need<readonly Credential[] | null>("GET", "/api/secondfactor/webauthn/credentials")) ?? [];
  const totp = info.has_totp
    ? element("p", { id: "one-time-password" }, "Registered.")
    : button("one-time-password-add", "Add", () => elevated(registerTotp));
  const close = () => {
    go("/");
  };
  show(
    element(
      "section",
      {},
      element("h1", {}, info.display_name),
      element("h2", {}, "One-Time Password"),
      totp,
      element("h2", {}, "Passkeys and security keys"),
      element("ul", {}, ...credentials.map((one) => element("li", {}, one.description))),
      button("webauthn-credential-add", "Add", () => elevated(registerPasskey)),
      button("settings-menu-close", "Close", close, true),
    ),
  );
}

/** Runs the change at once when the session is elevated, after the one-time code otherwise. */
async function elevated(action: () => void): Promise<void> {
  const path = "/api/user/session/elevation";
  if ((await need<{ readonly elevated: boolean }>("GET", path)).elevated) {
    action();
    return;
  }
  const { delete_id: id } = await need<{ readonly delete_id: string }>("POST", path);
  const code = field("one-time-code", "One-Time Code", { autocomplete: "one-time-code", autocapitalize: "characters" });
  const verify = async () => {
    const complaint = "The One-Time Code either doesn't match the one generated or an unknown error occurred";
    await need("PUT", path, { otc: code.value }, complaint);
    close();
    action();
  };
  const cancel = async () => {
    close();
    await call("DELETE", `${path}/${id}`);
  };
  const close = dialog(
    "dialog-verify-one-time-code",
    "Identity Verification",
    element("p", {}, "A one-time code was sent to you. Type it here."),
    code,
    button("dialog-verify", "Verify", verify),
    button("dialog-cancel", "Cancel", cancel, true),
  );
}

async function added(what: string): Promise<void> {
  await settings();
  notify(`Successfully added the ${what}`);
}

function registerTotp(): void {
  const path = "/api/secondfactor/totp/register";
  const place = element("section", {}, element("p", {}, "To begin select next"));
  const next = button("dialog-next", "Next", async () => {
    const secret = await need<{ readonly base32_secret: string; readonly otpauth_url: string }>("PUT", path, {
      algorithm: "SHA1",
      length: 6,
      period: 30,
    });
    const picture = element("div", { id: "qr-code" });
    picture.innerHTML = await qrSvg(secret.otpauth_url, { type: "svg" });
    const url = field("secret-url", "Secret", { readonly: true, value: secret.otpauth_url });
    place.replaceChildren(picture, url, element("code", { id: "secret" }, secret.base32_secret));
    next.replaceWith(button("dialog-next", "Next", confirm));
  });
  const confirm = () => {
    const input = codeInput(async (token) => {
      await need("POST", path, { token }, "The One-Time Password might be wrong");
      close();
      await added("One-Time Password");
    });
    place.replaceChildren(input);
    document.getElementById("dialog-next")?.remove();
    input.querySelector("input")?.focus();
  };
  const close = dialog("dialog-one-time-password", "Register One-Time Password", place, next);
}

function registerPasskey(): void {
  const path = "/api/secondfactor/webauthn/credential/register";
  const description = field("webauthn-credential-description", "Description", { maxlength: "64" });
  const register = async () => {
    const options = await call<CreationJson>("PUT", path, { description: description.value });
    if (options.httpStatus === 409) throw new Error("A WebAuthn Credential with that Description already exists");
    if (!options.data)
      throw new Error(options.message ?? "Error occurred obtaining the WebAuthn Credential creation options");
    await need("POST", path, await createCredential(options.data));
    close();
    await added("WebAuthn Credential");
  };
  const close = dialog(
    "dialog-webauthn",
    "Register WebAuthn Credential",
    description,
    button("dialog-next", "Next", register),
  );
}
