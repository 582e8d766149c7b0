// Stand-in for Authelia 4.39.20: the portal's sign-in pages, run in the browser.
import type { Configuration, Info, Redirect, State } from "./api";
import { call, go, need, query, wish } from "./api";
import { button, codeInput, dialog, element, field, form, show } from "./dom";
import type { RequestJson } from "./webauthn";
import { useCredential } from "./webauthn";

/** This browser shows the method that was last picked in it. */
const chosenMethod = "second-factor-method";

/** Decides by the session what the visitor sees next. */
export async function route(state: State): Promise<void> {
  if (state.authentication_level === 0) {
    firstFactor();
    return;
  }
  const configuration = await need<Configuration>("GET", "/api/configuration");
  const info = await need<Info>("POST", "/api/user/info");
  const secondNeeded = configuration.available_methods.length > 0;
  if (state.authentication_level === 2 || !secondNeeded) await arrived(info);
  else secondFactor(info, localStorage.getItem(chosenMethod) ?? info.method);
}

/** A quiet button that leads to another page of the portal. */
function link(id: string, text: string, path: string): HTMLButtonElement {
  const open = () => {
    go(path);
  };
  return button(id, text, open, true);
}

const logoutButton = () => link("logout-button", "Logout", "/logout");
const settingsButton = (id: string, text: string) => link(id, text, "/settings/two-factor-authentication");

async function arrived(info: Info): Promise<void> {
  const target = query("rd");
  if (target !== undefined) {
    const safe = await call<{ ok: boolean }>("POST", "/api/checks/safe-redirection", { uri: target });
    if (safe.data?.ok === true) {
      location.assign(target);
      return;
    }
  }
  stage(
    "authenticated-stage",
    `Hi ${info.display_name}`,
    settingsButton("account-menu-settings", "Settings"),
    logoutButton(),
  );
}

function stage(id: string, title: string, ...children: readonly Node[]): void {
  show(element("section", { id }, element("h1", {}, title), ...children));
}

function follow(answer: Redirect | undefined): void {
  if (answer?.redirect === undefined) go("/");
  else location.assign(answer.redirect);
}

function firstFactor(): void {
  const required = true;
  const username = field("username-textfield", "Username", {
    autocomplete: "username",
    autocapitalize: "none",
    required,
  });
  const password = field("password-textfield", "Password", {
    type: "password",
    autocomplete: "current-password",
    required,
  });
  const remember = element("input", { id: "remember-checkbox", type: "checkbox" });
  const asked = () => ({ keepMeLoggedIn: remember.checked, ...wish() });
  const signIn = async () => {
    const body = { username: username.value, password: password.value, ...asked() };
    follow(await need<Redirect>("POST", "/api/firstfactor", body, "Incorrect username or password"));
  };
  const usePasskey = async () => {
    const response = await useCredential(await need<RequestJson>("GET", "/api/firstfactor/passkey"));
    follow(await need<Redirect>("POST", "/api/firstfactor/passkey", { response, ...asked() }));
  };
  const submit = button("sign-in-button", "Sign in", () => undefined);
  const line = element("label", { class: "line" }, remember, "Remember me");
  stage(
    "first-factor-stage",
    "Sign in",
    form("form-login", submit, signIn, username, password, line),
    button("passkey-sign-in-button", "Sign in with a passkey", usePasskey, true),
  );
}

function secondFactor(info: Info, method: string): void {
  const chooseMethod = () => {
    const pick = (name: string) => () => {
      close();
      localStorage.setItem(chosenMethod, name);
      secondFactor(info, name);
    };
    const close = dialog(
      "methods-dialog",
      "Choose a method",
      button("one-time-password-option", "One-Time Password", pick("totp")),
      button("webauthn-option", "Security key or passkey", pick("webauthn")),
    );
  };
  stage(
    "second-factor-stage",
    `Hi ${info.display_name}`,
    method === "webauthn" ? securityKey(info) : oneTimePassword(info),
    button("methods-button", "Methods", chooseMethod, true),
    logoutButton(),
  );
  // The real one asks at once; where a browser wants a tap first, the button is there.
  document.getElementById("webauthn-start-button")?.click();
}

function methodOf(id: string, title: string, known: boolean, input: () => Node): HTMLElement {
  const register = settingsButton("register-link", "Register a second factor");
  return element("section", { id }, element("h2", {}, title), known ? input() : register);
}

function oneTimePassword(info: Info): HTMLElement {
  const verify = async (token: string) => {
    const complaint = "The One-Time Password might be wrong";
    follow(await need<Redirect>("POST", "/api/secondfactor/totp", { token, ...wish() }, complaint));
  };
  return methodOf("one-time-password-method", "One-Time Password", info.has_totp, () => codeInput(verify));
}

function securityKey(info: Info): HTMLElement {
  const prove = async () => {
    const response = await useCredential(await need<RequestJson>("GET", "/api/secondfactor/webauthn"));
    follow(await need<Redirect>("POST", "/api/secondfactor/webauthn", { response, ...wish() }));
  };
  return methodOf("webauthn-method", "Security key or passkey", info.has_webauthn, () =>
    button("webauthn-start-button", "Use it now", prove),
  );
}
