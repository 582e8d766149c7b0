import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { secureHeaders } from "hono/secure-headers";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { type Config, roleOf } from "./config";
import { maxBytes } from "./credential";
import type { Donations } from "./donations";
import { UpstreamError } from "./http";
import { Limit } from "./limits";
import type { LinuxDo } from "./linux-do";
import { LoginRefused } from "./linux-do";
import { type ModelProxy, isFileName } from "./model-proxy";
import { type NewApi, belongsTo } from "./new-api";
import * as pages from "./pages";
import { type Decision, type Session, type Store, decisions, sessionLife } from "./store";
import { type Words, languageOf } from "./words";

export interface Parts {
  readonly config: Config;
  readonly store: Store;
  readonly linuxDo: LinuxDo;
  readonly newApi: NewApi;
  readonly proxy: ModelProxy;
  readonly donations: Donations;
  readonly log: Logger;
  /** How often a visitor may do what costs something, in ten minutes. */
  readonly limits?: { readonly login: number; readonly bind: number; readonly donate: number };
}

/** Ends a request with an error page. */
class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly status: ContentfulStatusCode,
    readonly word: keyof Words,
    readonly retry?: string,
    /** The donation that it is about. */
    readonly donation?: string,
  ) {
    super(word);
  }
}

const sessionCookie = "session";
const loginCookie = "login";
/** Where the visitor wanted to be before the login. */
const backCookie = "back";

/** Pages that a login may lead back to. */
const returnable = ["/bind", "/donate", "/status", "/auth-files", "/donations", "/bindings"];
const pageOf = (path: string) => returnable.find((page) => path === page || path.startsWith(`${page}/`));
/** Lax, since the visitor comes back from Linux Do by a link. */
const cookie = { path: "/", httpOnly: true, secure: true, sameSite: "Lax", prefix: "host" } as const;

/** The donation site. Its paths are also in components/apps/donation.ts, which lets the public in. */
export function createApp(parts: Parts): Hono {
  const { config, store, linuxDo, newApi, proxy, donations, log } = parts;
  const { login, bind, donate } = parts.limits ?? { login: 20, bind: 10, donate: 10 };
  const limits = { login: new Limit(login, 600), bind: new Limit(bind, 600), donate: new Limit(donate, 600) };
  const app = new Hono();

  const sessionOf = (c: Context): Session | undefined => {
    const token = getCookie(c, sessionCookie, "host");
    return token === undefined ? undefined : store.session(token);
  };
  const viewOf = (c: Context): pages.View => {
    const session = sessionOf(c);
    return {
      language: languageOf(c.req.header("accept-language")),
      session,
      admin: session !== undefined && roleOf(session.linuxDo, config) === "admin",
      bound: session && store.binding(session.linuxDo),
    };
  };
  const visitor = (c: Context): Session => {
    const session = sessionOf(c);
    if (session === undefined) throw new Refusal(401, "e401");
    return session;
  };
  const admin = (c: Context): Session => {
    const session = visitor(c);
    if (roleOf(session.linuxDo, config) !== "admin") throw new Refusal(403, "e403");
    return session;
  };
  const within = (limit: Limit, key: string) => {
    if (!limit.allows(key)) throw new Refusal(429, "e429");
  };

  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
      referrerPolicy: "same-origin",
    }),
  );
  app.use(async (c, next) => {
    c.header("Cache-Control", "no-store");
    // Beside SameSite: a form of another site under the same domain is same-site, but never same-origin.
    if (c.req.method !== "GET" && c.req.method !== "HEAD" && c.req.header("origin") !== config.origin)
      throw new Refusal(403, "e403");
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: maxBytes + 8 * 1024,
      onError: () => {
        throw new Refusal(413, "e413");
      },
    }),
  );

  app.onError((error, c) => {
    const refusal = error instanceof Refusal ? error : new Refusal(500, "e500");
    if (!(error instanceof Refusal))
      log.error(
        { event: "error", path: c.req.path, error: error instanceof UpstreamError ? error.message : error.name },
        "failed",
      );
    const { status, word, retry, donation } = refusal;
    if (status !== 401)
      return c.html(pages.errorPage(viewOf(c), status, word, { retry, donation, contact: config.contact }), status);
    const page = pageOf(c.req.path);
    const login = `/linuxdo/login${page === undefined ? "" : `?${new URLSearchParams({ back: page }).toString()}`}`;
    const ended = getCookie(c, sessionCookie, "host") !== undefined;
    if (ended) {
      deleteCookie(c, sessionCookie, cookie);
      c.header("Refresh", `0; url=${login}`);
    }
    return c.html(pages.errorPage(viewOf(c), 401, ended ? "e401ended" : word, { login }), 401);
  });
  app.notFound((c) => c.html(pages.errorPage(viewOf(c), 404, "e404", {}), 404));

  app.get("/healthz", (c) => c.text("ok"));
  app.get("/style.css", (c) =>
    c.body(pages.style, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=3600" }),
  );
  app.get("/", (c) => c.html(pages.homePage(viewOf(c))));

  app.get("/linuxdo/login", async (c) => {
    within(limits.login, addressOf(c));
    const { url, ...attempt } = await linuxDo.begin();
    setCookie(c, loginCookie, store.beginLogin(attempt), { ...cookie, maxAge: 600 });
    const back = c.req.query("back");
    if (back !== undefined && returnable.includes(back)) setCookie(c, backCookie, back, { ...cookie, maxAge: 600 });
    else deleteCookie(c, backCookie, cookie);
    return c.redirect(url);
  });
  app.get("/linuxdo/callback", async (c) => {
    within(limits.login, addressOf(c));
    const token = getCookie(c, loginCookie, "host");
    deleteCookie(c, loginCookie, cookie);
    const attempt = token === undefined ? undefined : store.takeLogin(token);
    const again = new Refusal(400, "e400login", "/linuxdo/login");
    if (attempt === undefined) throw again;
    try {
      const session = await linuxDo.finish(new URL(c.req.url).searchParams, attempt);
      setCookie(c, sessionCookie, store.openSession(session), { ...cookie, maxAge: sessionLife / 1000 });
      log.info({ event: "login", userId: session.linuxDo, role: roleOf(session.linuxDo, config) }, "login");
      const back = pageOf(getCookie(c, backCookie, "host") ?? "");
      deleteCookie(c, backCookie, cookie);
      return c.redirect(back ?? (store.binding(session.linuxDo) === undefined ? "/bind" : "/donate"));
    } catch (error) {
      throw error instanceof LoginRefused ? again : error;
    }
  });
  app.post("/logout", (c) => {
    const token = getCookie(c, sessionCookie, "host");
    if (token !== undefined) store.closeSession(token);
    deleteCookie(c, sessionCookie, cookie);
    return c.redirect("/", 303);
  });

  app.get("/bind", (c) => {
    visitor(c);
    return c.html(pages.bindPage(viewOf(c)));
  });
  app.post("/bind", async (c) => {
    const { linuxDo: id } = visitor(c);
    within(limits.bind, String(id));
    const { user: given } = await c.req.parseBody();
    if (typeof given !== "string" || !/^[1-9]\d{0,14}$/.test(given)) throw new Refusal(400, "e400", "/bind");
    const user = await newApi.user(Number(given));
    if (user === undefined) throw new Refusal(404, "e404user", "/bind");
    if (!belongsTo(id, user)) throw new Refusal(403, "e403bind", "/bind");
    if (!store.bind(id, user.id)) throw new Refusal(409, "e409bind", "/bind");
    return c.redirect("/donate", 303);
  });

  const unbind = (linuxDo: number, by: number, page: string) => {
    if (store.unbind(linuxDo, by) === "busy") throw new Refusal(409, "e409open", page);
  };
  app.post("/unbind", (c) => {
    const { linuxDo: id } = visitor(c);
    within(limits.bind, String(id));
    unbind(id, id, "/bind");
    return c.redirect("/bind", 303);
  });

  app.get("/donate", (c) => {
    visitor(c);
    return c.html(pages.donatePage(viewOf(c), config.quotaAmount));
  });
  app.post("/donate", async (c) => {
    const { linuxDo: id } = visitor(c);
    within(limits.donate, String(id));
    const bound = store.binding(id);
    if (bound === undefined) throw new Refusal(400, "bindFirst", "/bind");
    const outcome = await donations.donate(id, bound, (await fileOf(c)).text);
    if (outcome === "no-credential") throw new Refusal(400, "e400file", "/donate");
    if (outcome === "refused") throw new Refusal(400, "e400invalid", "/donate");
    if (outcome === "seen") throw new Refusal(409, "e409", "/donate");
    if (outcome === "lost") throw new Refusal(503, "e503lost", "/donate");
    // Trying again would do nothing: the credential is taken.
    if (outcome === "late" || outcome === "person")
      throw new Refusal(500, outcome === "late" ? "e500late" : "e500quota", undefined, store.donationsOf(id)[0]?.id);
    return c.redirect("/status", 303);
  });
  app.get("/status", (c) => {
    const { linuxDo: id } = visitor(c);
    return c.html(pages.statusPage(viewOf(c), store.donationsOf(id)));
  });

  app.get("/auth-files", async (c) => {
    admin(c);
    return c.html(pages.authFilesPage(viewOf(c), await proxy.list()));
  });
  app.get("/auth-files/download", async (c) => {
    admin(c);
    const name = checkedName(c.req.query("name"));
    return c.body(await proxy.download(name), 200, {
      "Content-Type": "application/json",
      "Content-Disposition": `attachment; filename="${name}"`,
    });
  });
  app.post("/auth-files/upload", async (c) => {
    const { linuxDo: id } = admin(c);
    const { name, text } = await fileOf(c);
    await proxy.upload(checkedName(name), text);
    log.info({ event: "auth-file-upload", userId: id, name }, "auth file uploaded");
    return c.redirect("/auth-files", 303);
  });
  app.post("/auth-files/delete", async (c) => {
    const { linuxDo: id } = admin(c);
    const name = checkedName((await c.req.parseBody())["name"]);
    await proxy.remove(name);
    log.info({ event: "auth-file-delete", userId: id, name }, "auth file deleted");
    return c.redirect("/auth-files", 303);
  });

  app.get("/bindings", (c) => {
    admin(c);
    return c.html(pages.bindingsPage(viewOf(c), store.bindings()));
  });
  app.post("/bindings/unbind", async (c) => {
    const { linuxDo: id } = admin(c);
    const { user } = await c.req.parseBody();
    if (typeof user !== "string" || !/^[1-9]\d{0,14}$/.test(user)) throw new Refusal(400, "e400", "/bindings");
    unbind(Number(user), id, "/bindings");
    return c.redirect("/bindings", 303);
  });

  app.get("/donations", (c) => {
    admin(c);
    return c.html(pages.donationsPage(viewOf(c), store.donations(["person"])));
  });
  app.post("/donations/decide", async (c) => {
    const { linuxDo: id } = admin(c);
    const { donation, decision } = await c.req.parseBody();
    if (typeof donation !== "string" || !isDecision(decision)) throw new Refusal(400, "e400", "/donations");
    if (!(await donations.decide(donation, decision, id))) throw new Refusal(409, "e409decided", "/donations");
    return c.redirect("/donations", 303);
  });
  return app;
}

const isDecision = (value: unknown): value is Decision => decisions.some((decision) => decision === value);

async function fileOf(c: Context): Promise<{ readonly name: string; readonly text: string }> {
  const { file } = await c.req.parseBody();
  if (!(file instanceof File)) throw new Refusal(400, "e400");
  return { name: file.name, text: await file.text() };
}

function checkedName(name: unknown): string {
  if (typeof name !== "string" || !isFileName(name)) throw new Refusal(400, "e400");
  return name;
}

/** The visitor's address as the reverse proxy, which alone can reach the site, saw it. */
function addressOf(c: Context): string {
  return c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
}
