// Stand-in for Authelia 4.39.20: small helpers for the portal's pages, run in the browser.
type Attributes = Readonly<Record<string, string | boolean>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    if (typeof value === "string") node.setAttribute(key, value);
    else if (value) node.setAttribute(key, "");
  node.append(...children);
  return node;
}

export function button(id: string, text: string, action: () => Promise<void> | void, quiet = false): HTMLButtonElement {
  const node = element("button", { id, type: "button", class: quiet ? "quiet" : "" }, text);
  node.addEventListener("click", () => {
    void guarded(node, action);
  });
  return node;
}

/** One request at a time per button; whatever goes wrong is said below the page. */
export async function guarded(node: HTMLButtonElement, action: () => Promise<void> | void): Promise<void> {
  node.disabled = true;
  notify("");
  try {
    await action();
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error));
  } finally {
    node.disabled = false;
  }
}

export function field(id: string, label: string, attributes: Attributes = {}): HTMLInputElement {
  return element("input", { id, name: id, "aria-label": label, placeholder: label, ...attributes });
}

export function show(...nodes: readonly (Node | string)[]): void {
  const root = document.getElementById("root");
  root?.replaceChildren(...nodes);
  root?.querySelector<HTMLInputElement>("input:not([type=checkbox])")?.focus();
}

export function notify(message: string): void {
  const place = document.getElementById("notification");
  if (place) place.textContent = message;
}

export function form(
  id: string,
  submit: HTMLButtonElement,
  action: () => Promise<void>,
  ...children: readonly Node[]
): HTMLFormElement {
  submit.type = "submit";
  const node = element("form", { id }, ...children, submit);
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    void guarded(submit, action);
  });
  return node;
}

/** A modal with a title; closed by the returned function. */
export function dialog(id: string, title: string, ...children: readonly Node[]): () => void {
  const node = element("dialog", { id }, element("h2", {}, title), element("section", {}, ...children));
  document.body.append(node);
  node.showModal();
  return () => {
    node.remove();
  };
}

/** Hands each complete code of six digits to the action, like the real one's row of digits. */
export function codeInput(action: (code: string) => Promise<void>): HTMLElement {
  const input = element("input", {
    inputmode: "numeric",
    autocomplete: "one-time-code",
    maxlength: "6",
    "aria-label": "Code",
  });
  input.addEventListener("input", () => {
    if (input.value.length !== 6) return;
    const code = input.value;
    input.value = "";
    notify("");
    action(code).catch((error: unknown) => {
      notify(error instanceof Error ? error.message : String(error));
    });
  });
  return element("span", { id: "otp-input" }, input);
}
