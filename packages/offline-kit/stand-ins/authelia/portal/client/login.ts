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
  else if (!state.factor_knowledge) passwordFactor(info);
  else secondFactor(info, configuration, localStorage.getItem(chosenMethod) ?? info.method);
}

async function arrived(info: Info): Promise<void> {
  const target = query("rd");
  if (target !== undefined) {
    const safe = await call<{ ok: boolean }>("POST", "/api/checks/safe-redirection", { uri: target });
    if (safe.data?.ok === true) {
      location.assign(target);
      return;
    }
  }
  show(
    element(
      "section",
      { id: "authenticated-stage" },
      element("h1", {}, `Hi ${info.display_name}`),
      element("p", {}, "Authenticated"),
      button(
        "account-menu-settings",
        "Settings",
        () => {
          go("/settings/two-factor-authentication");
        },
        true,
      ),
      logoutButton(),
    ),
  );
}

function logoutButton(): HTMLButtonElement {
  return button(
    "logout-button",
    "Logout",
    () => {
      go("/logout");
    },
    true,
  );
}

function follow(answer: Redirect | undefined): void {
  if (answer?.redirect === undefined) go("/");
  else location.assign(answer.redirect);
}

function firstFactor(): void {
  const username = field("username-textfield", "Username", {
    autocomplete: "username",
    autocapitalize: "none",
    required: true,
  });
  const password = field("password-textfield", "Password", {
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const remember = element("input", { id: "remember-checkbox", type: "checkbox" });
  const submit = button("sign-in-button", "Sign in", () => undefined);
  const children: Node[] = [username, password];
  if (document.body.dataset["remember"] === "true")
    children.push(element("label", { class: "line" }, remember, "Remember me"));
  const login = form(
    "form-login",
    submit,
    async () => {
      const body = { username: username.value, password: password.value, keepMeLoggedIn: remember.checked, ...wish() };
      const answer = await call<Redirect>("POST", "/api/firstfactor", body);
      if (answer.status !== "OK") throw new Error("Incorrect username or password");
      follow(answer.data);
    },
    ...children,
  );
  const stage = element("section", { id: "first-factor-stage" }, element("h1", {}, "Sign in"), login);
  if (document.body.dataset["passkey"] === "true") {
    stage.append(
      button(
        "passkey-sign-in-button",
        "Sign in with a passkey",
        async () => {
          const options = await need<RequestJson>("GET", "/api/firstfactor/passkey");
          const response = await useCredential(options);
          follow(
            await need<Redirect>("POST", "/api/firstfactor/passkey", {
              response,
              keepMeLoggedIn: remember.checked,
              ...wish(),
            }),
          );
        },
        true,
      ),
    );
  }
  show(stage);
}

function passwordFactor(info: Info): void {
  const password = field("password-textfield", "Password", {
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const submit = button("sign-in-button", "Authenticate", () => undefined);
  const login = form(
    "form-password",
    submit,
    async () => {
      const answer = await call<Redirect>("POST", "/api/secondfactor/password", {
        password: password.value,
        ...wish(),
      });
      if (answer.status !== "OK") throw new Error("Incorrect password");
      follow(answer.data);
    },
    password,
  );
  stageOf(info, element("section", { id: "password-method" }, element("h2", {}, "Password"), login));
}

function secondFactor(info: Info, configuration: Configuration, method: string): void {
  const choose = button(
    "methods-button",
    "Methods",
    () => {
      const pick = (name: string) => (): void => {
        close();
        localStorage.setItem(chosenMethod, name);
        secondFactor(info, configuration, name);
      };
      const close = dialog(
        "methods-dialog",
        "Choose a method",
        ...(configuration.available_methods.includes("totp")
          ? [button("one-time-password-option", "One-Time Password", pick("totp"))]
          : []),
        ...(configuration.available_methods.includes("webauthn")
          ? [button("webauthn-option", "Security key or passkey", pick("webauthn"))]
          : []),
      );
    },
    true,
  );
  stageOf(info, method === "webauthn" ? securityKey(info) : oneTimePassword(info), choose);
  // The real one asks at once; where a browser wants a tap first, the button is there.
  document.getElementById("webauthn-start-button")?.click();
}

function stageOf(info: Info, ...children: readonly Node[]): void {
  show(
    element(
      "section",
      { id: "second-factor-stage" },
      element("h1", {}, `Hi ${info.display_name}`),
      ...children,
      logoutButton(),
    ),
  );
}

function registerLink(): HTMLElement {
  return button(
    "register-link",
    "Register a second factor",
    () => {
      go("/settings/two-factor-authentication");
    },
    true,
  );
}

function oneTimePassword(info: Info): HTMLElement {
  const place = element("section", { id: "one-time-password-method" }, element("h2", {}, "One-Time Password"));
  if (!info.has_totp) place.append(element("p", {}, "You have no one-time password yet."), registerLink());
  else
    place.append(
      codeInput(6, async (token) => {
        const answer = await call<Redirect>("POST", "/api/secondfactor/totp", { token, ...wish() });
        if (answer.status !== "OK") throw new Error("The One-Time Password might be wrong");
        follow(answer.data);
      }),
    );
  return place;
}

function securityKey(info: Info): HTMLElement {
  const place = element("section", { id: "webauthn-method" }, element("h2", {}, "Security key or passkey"));
  if (!info.has_webauthn) place.append(element("p", {}, "You have no passkey yet."), registerLink());
  else
    place.append(
      button("webauthn-start-button", "Use it now", async () => {
        const options = await need<RequestJson>("GET", "/api/secondfactor/webauthn");
        const response = await useCredential(options);
        follow(await need<Redirect>("POST", "/api/secondfactor/webauthn", { response, ...wish() }));
      }),
    );
  return place;
}
