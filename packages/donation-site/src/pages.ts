import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { maxBytes, providers } from "./credential";
import type { AuthFile } from "./model-proxy";
import { type Binding, type Decision, type Donation, type Session, decisions } from "./store";
import { type Language, type Words, words } from "./words";

/** Who looks, and how. */
export interface View {
  readonly language: Language;
  readonly session: Session | undefined;
  readonly admin: boolean;
  /** The new-api user they are bound to. */
  readonly bound: number | undefined;
}

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const style = `
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.25rem; }
nav, form, li { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
main > form { flex-direction: column; align-items: stretch; margin-block: 1rem; }
ul { list-style: none; padding: 0; }
li { padding-block: 0.5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); overflow-wrap: anywhere; }
input, button, .button { font: inherit; padding: 0.6rem 0.9rem; border-radius: 0.5rem; box-sizing: border-box; max-width: 100%; min-height: 2.75rem; }
label { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.25rem; }
input { width: 100%; }
.button { display: inline-block; border: 1px solid currentColor; text-decoration: none; color: inherit; }
.error { border-left: 0.25rem solid #c33; padding-left: 0.75rem; }
`;

function layout(view: View, heading: string, content: Html): Html {
  const say = words[view.language];
  return html`<!doctype html>
    <html lang="${view.language === "zh" ? "zh-CN" : "en"}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${heading} · ${say.title}</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <nav>
          <a href="/">${say.home}</a>
          ${view.session && html`<a href="/bind">${say.bind}</a><a href="/donate">${say.donate}</a><a href="/status">${say.status}</a>`}
          ${view.admin && html`<a href="/auth-files">${say.authFiles}</a><a href="/donations">${say.needPerson}</a><a href="/bindings">${say.bindings}</a>`}
        </nav>
        <h1>${heading}</h1>
        <main>${content}</main>
        ${view.session && html`<form method="post" action="/logout"><small>${say.signedInAs} ${view.session.username}</small><button>${say.logout}</button></form>`}
      </body>
    </html>`;
}

const loginLink = (say: Words, to = "/linuxdo/login") => html`<p><a class="button" href="${to}">${say.login}</a></p>`;
const link = (path: string, text: string) => html`<p><a class="button" href="${path}">${text}</a></p>`;

export function homePage(view: View): Html {
  const say = words[view.language];
  const next = view.bound === undefined ? link("/bind", say.bind) : link("/donate", say.donate);
  return layout(
    view,
    say.title,
    html`<p>${say.intro}</p>
      ${view.session ? next : loginLink(say)}`,
  );
}

export function bindPage(view: View): Html {
  const say = words[view.language];
  const bound =
    view.bound !== undefined &&
    html`<p>${say.bound} <strong>${view.bound}</strong></p>
      ${link("/donate", say.donate)}
      <form method="post" action="/unbind"><button>${say.unbind}</button></form>`;
  return layout(
    view,
    say.bind,
    html`${bound}
      <form method="post" action="/bind">
        <label>${say.newApiUser}<input name="user" inputmode="numeric" pattern="[0-9]{1,15}" required /></label>
        <small>${say.bindHelp}</small><button>${say.bind}</button>
      </form>`,
  );
}

export function donatePage(view: View, amount: number): Html {
  const say = words[view.language];
  const form = html`<p>${say.amount}: <strong>${amount}</strong></p>
    <p>${say.donateHelp} (${providers.join(", ")})</p>
    <form method="post" action="/donate" enctype="multipart/form-data">
      <label>${say.authFile}<input type="file" name="file" accept=".json,application/json" required /></label>
      <button>${say.donate}</button>
    </form>`;
  return layout(
    view,
    say.donate,
    view.bound === undefined
      ? html`<p>${say.bindFirst}</p>
          ${link("/bind", say.bind)}`
      : form,
  );
}

export function statusPage(view: View, donations: readonly Donation[]): Html {
  const say = words[view.language];
  const own =
    donations.length === 0
      ? html`<p>${say.none}</p>`
      : html`<ul>
          ${donations.map((donation) => row(donation, say))}
        </ul>`;
  return layout(
    view,
    say.status,
    html`<p>${say.newApiUser}: ${view.bound ?? "–"}</p>
      ${own}`,
  );
}

/** For administrators: who is linked to which new-api user. */
export function bindingsPage(view: View, bindings: readonly Binding[]): Html {
  const say = words[view.language];
  const rows = bindings.map(
    ({ linuxDo, newApi, at }) =>
      html`<li>
        <span>${time(at)}</span><span>Linux Do ${linuxDo} → new-api ${newApi}</span>
        <form method="post" action="/bindings/unbind">
          <input type="hidden" name="user" value="${linuxDo}" /><button>${say.unbind}</button>
        </form>
      </li>`,
  );
  return layout(
    view,
    say.bindings,
    html`<ul>
      ${rows}
    </ul>`,
  );
}

/** For administrators: the donations that need a person, and what can be done with each. */
export function donationsPage(view: View, open: readonly Donation[]): Html {
  const say = words[view.language];
  const button = (id: string, decision: Decision) =>
    html`<form method="post" action="/donations/decide">
      <input type="hidden" name="donation" value="${id}" />
      <button name="decision" value="${decision}">${say[decision]}</button>
    </form>`;
  const rows = open.map(
    ({ id, at, linuxDo, newApi, amount, note }) =>
      html`<li>
        <span>${time(at)}</span><span>Linux Do ${linuxDo} → new-api ${newApi}</span><span>${amount}</span>
        <small>${note} · ${id}</small>
        ${decisions.map((decision) => button(id, decision))}
      </li>`,
  );
  return layout(
    view,
    say.needPerson,
    open.length === 0
      ? html`<p>${say.nothingOpen}</p>`
      : html`<p>${say.decideHelp}</p>
          <ul>
            ${rows}
          </ul>`,
  );
}

const time = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const row = ({ at, provider, amount, state, note }: Donation, say: Words) =>
  html`<li data-state="${state}">
    <span>${time(at)}</span><span>${provider}</span><span>${amount}</span
    ><strong>${say[state === "refused" ? whyOf(note) : state]}</strong>
  </li>`;

/** What a refusal is called on the donor's page. */
function whyOf(note: string): "refused" | "refusedSeen" | "refusedInvalid" | "refusedLost" {
  if (note === "seen") return "refusedSeen";
  if (note === "not valid") return "refusedInvalid";
  return note === "not uploaded" ? "refusedLost" : "refused";
}

export function authFilesPage(view: View, files: readonly AuthFile[]): Html {
  const say = words[view.language];
  const rows = files.map(
    ({ name, provider, email, status }) =>
      html`<li>
        <span>${name}</span><span>${provider} ${email ?? ""} ${status}</span>
        <a href="/auth-files/download?${new URLSearchParams({ name }).toString()}">${say.download}</a>
        <form method="post" action="/auth-files/delete">
          <input type="hidden" name="name" value="${name}" /><button>${say.remove}</button>
        </form>
      </li>`,
  );
  return layout(
    view,
    say.authFiles,
    html`<ul>
        ${rows}
      </ul>
      <form method="post" action="/auth-files/upload" enctype="multipart/form-data">
        <label
          >${say.authFile} (≤ ${maxBytes / 1024} KiB)<input
            type="file"
            name="file"
            accept=".json,application/json"
            required /></label
        ><button>${say.upload}</button>
      </form>`,
  );
}

/** What a visitor can do after an error. */
export interface WaysOut {
  /** Where the visitor may try again. */
  readonly retry?: string | undefined;
  /** Where the login begins. */
  readonly login?: string | undefined;
  /** The donation that it is about. */
  readonly donation?: string | undefined;
  /** Where a person answers. */
  readonly contact?: string | undefined;
}

/** @param word which sentence */
export function errorPage(view: View, status: number, word: keyof Words, ways: WaysOut): Html {
  const say = words[view.language];
  const { retry, login, donation, contact } = ways;
  const about =
    donation !== undefined &&
    html`<p>${say.donationNumber} <strong>${donation}</strong></p>
      ${contact !== undefined && html`<p><a class="button" href="${contact}">${say.contact}</a></p>`}
      ${link("/status", say.status)}`;
  return layout(
    view,
    String(status),
    html`<p class="error" role="alert">${say[word]}</p>
      ${about} ${login !== undefined && loginLink(say, login)} ${retry !== undefined && link(retry, say.retry)}`,
  );
}
