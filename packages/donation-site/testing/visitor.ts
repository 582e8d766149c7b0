import { origin } from "./kit";
import type { OAuthServer, Person } from "./oauth-server";
import type { Site } from "./program";

export interface Page {
  readonly status: number;
  /** Where it sends the browser. */
  readonly to: string | undefined;
  readonly text: string;
}

/** A donation as the visitor's own page tells it. */
export interface Told {
  readonly state: string;
  readonly words: string;
}

/** Somebody with a browser, who does what the pages say and, when the site was away, goes on from where the pages are. */
export class Visitor {
  readonly #cookies = new Map<string, string>();

  constructor(
    readonly site: Site,
    readonly oauth: OAuthServer,
    readonly person: Person,
  ) {}

  async open(path: string, form?: Readonly<Record<string, string | File>>): Promise<Page> {
    const headers = new Headers({ cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") });
    const body = new FormData();
    for (const [key, value] of Object.entries(form ?? {})) body.set(key, value);
    if (form) headers.set("origin", origin);
    const answer = await this.site.ask(path, { headers, ...(form && { method: "POST", body }) });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return { status: answer.status, to: answer.headers.get("location") ?? undefined, text: await answer.text() };
  }

  /** Over the pages of Linux Do, where they allow it. */
  async signIn(): Promise<void> {
    while ((await this.open("/status")).status === 401) {
      const { to: asked = "" } = await this.open("/linuxdo/login");
      this.oauth.person = this.person;
      const [, link = ""] = /id="allow" href="([^"]+)"/.exec(await (await fetch(asked)).text()) ?? [];
      const answer = await fetch(new URL(link.replaceAll("&amp;", "&"), asked), { redirect: "manual" });
      const back = new URL(answer.headers.get("location") ?? "");
      expect(back.origin + back.pathname).toBe(`${origin}/linuxdo/callback`);
      await this.open(back.pathname + back.search);
    }
  }

  async bound(): Promise<boolean> {
    return (await this.open("/bind")).text.includes('action="/unbind"');
  }

  async bind(user: number): Promise<void> {
    if (!(await this.bound())) expect((await this.open("/bind", { user: String(user) })).status).toBe(303);
  }

  async unbind(): Promise<void> {
    if (await this.bound()) expect((await this.open("/unbind", {})).status).toBe(303);
  }

  donate(text: string): Promise<Page> {
    return this.open("/donate", { file: new File([text], "auth.json", { type: "application/json" }) });
  }

  /** Their donations, the newest first, once none is under way. */
  async donations(): Promise<Told[]> {
    const end = Date.now() + 60_000;
    for (;;) {
      const { text } = await this.open("/status");
      const told = [...text.matchAll(/<li data-state="(\w+)">[^]*?<strong>([^<]*)<\/strong>/g)].map(
        ([, state = "", words = ""]) => ({ state, words }),
      );
      if (told.every(({ state }) => !["checking", "owed", "sent"].includes(state))) return told;
      if (Date.now() > end) throw new Error(`donations stay ${JSON.stringify(told)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
