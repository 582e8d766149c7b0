// What a hostile page can make a browser send. The function runs in that page and may use nothing from outside itself.

/** Sent by no browser to another origin, or not by a headless one; all others arrive where nothing refuses them. */
export const notSent: readonly string[] = ["fetch-same-origin-GET", "fetch-same-origin-POST", "link-prerender"];

/**
 * Sends everything at once to one address, each with its own mark in the query, and gives the marks.
 *
 * @param own the page's origin, which serves /sw.js, /redirect?to= and /csp?to=
 */
export async function attack({ target, own }: { target: string; own: string }): Promise<string[]> {
  const marks: string[] = [];
  const at = (mark: string) => {
    marks.push(mark);
    return `${target}${target.includes("?") ? "&" : "?"}mark=${mark}`;
  };
  const quietly = (action: () => unknown) => {
    Promise.resolve()
      .then(action)
      .catch(() => undefined);
  };
  const element = <K extends keyof HTMLElementTagNameMap>(tag: K, set: Readonly<Record<string, string>>) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(set)) made.setAttribute(name, value);
    document.body.append(made);
    return made;
  };
  // OpenCode reads JSON whatever the type says; a Blob without one needs no preflight.
  const body = () => new Blob(["{}"]);

  for (const mode of ["no-cors", "cors", "same-origin"] as const)
    for (const method of ["GET", "POST"]) {
      const url = at(`fetch-${mode}-${method}`);
      quietly(() => fetch(url, { mode, method, credentials: "include", ...(method === "POST" && { body: body() }) }));
    }
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const url = at(`fetch-${method}`);
    quietly(() => fetch(url, { method, credentials: "include" }));
  }
  const json = at("fetch-json");
  quietly(() =>
    fetch(json, {
      method: "POST",
      credentials: "include",
      headers: { "content-type": "application/json" },
      body: "{}",
    }),
  );
  const keepalive = at("fetch-keepalive");
  quietly(() =>
    fetch(keepalive, { method: "POST", mode: "no-cors", credentials: "include", keepalive: true, body: body() }),
  );
  const redirected = at("fetch-redirected");
  quietly(() =>
    fetch(`${own}/redirect?to=${encodeURIComponent(redirected)}`, {
      method: "POST",
      mode: "no-cors",
      credentials: "include",
      body: body(),
    }),
  );

  for (const method of ["GET", "POST"]) {
    const request = new XMLHttpRequest();
    request.open(method, at(`xhr-${method}`));
    request.withCredentials = true;
    request.send(method === "POST" ? "{}" : null);
  }
  const upload = new XMLHttpRequest();
  upload.open("POST", at("xhr-upload"));
  upload.withCredentials = true;
  const form = new FormData();
  form.set("file", new File(["x"], "x.txt"));
  upload.send(form);
  navigator.sendBeacon(at("beacon"), "{}");
  navigator.sendBeacon(at("beacon-blob"), body());

  const submit = (mark: string, set: Readonly<Record<string, string>>) => {
    const url = at(mark);
    element("iframe", { name: mark, "data-for": mark });
    const made = element("form", { action: url, method: "POST", target: mark, ...set });
    const field = document.createElement("input");
    field.name = '{"a":"';
    field.value = '"}';
    made.append(field);
    made.submit();
  };
  submit("form-iframe", {});
  submit("form-window", { target: "_blank" });
  submit("form-text", { enctype: "text/plain" });
  submit("form-multipart", { enctype: "multipart/form-data" });
  const formRedirected = at("form-redirected");
  submit("form-by-redirect", { action: `${own}/redirect?to=${encodeURIComponent(formRedirected)}` });
  marks.splice(marks.indexOf("form-by-redirect"), 1);
  element("iframe", {
    sandbox: "allow-scripts allow-forms",
    srcdoc: `<script>fetch(${JSON.stringify(at("fetch-null"))}, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" })</script>`,
  });
  element("iframe", {
    sandbox: "allow-scripts allow-forms",
    srcdoc: `<form method="POST" action="${at("form-null")}"></form><script>document.forms[0].submit()</script>`,
  });

  const socket = new WebSocket(at("websocket").replace(/^http/, "ws"), ["tty"]);
  socket.onopen = () => {
    socket.send("{}");
  };
  new EventSource(at("eventsource"), { withCredentials: true });

  element("img", { src: at("img") });
  element("img", { src: at("img-cors"), crossorigin: "use-credentials" });
  element("script", { src: at("script") });
  element("script", { src: at("script-module"), type: "module", crossorigin: "use-credentials" });
  element("link", { rel: "stylesheet", href: at("style") });
  element("video", { src: at("video"), preload: "auto" });
  element("audio", { src: at("audio"), preload: "auto" });
  element("object", { data: at("object") });
  element("embed", { src: at("embed") });
  element("iframe", { src: at("iframe") });
  element("iframe", { src: at("iframe-sandboxed"), sandbox: "allow-scripts" });
  element("input", { type: "image", src: at("input-image") });
  element("link", { rel: "prefetch", href: at("link-prefetch") });
  element("link", { rel: "preload", as: "image", href: at("link-preload") });
  element("link", { rel: "modulepreload", href: at("link-modulepreload") });
  element("link", { rel: "prerender", href: at("link-prerender") });
  element("div", { style: `background: url("${at("css-background")}")` }).append("x");
  element("style", {}).append(`@font-face { font-family: x; src: url("${at("font")}") } p { font-family: x }`);
  element("p", {}).append("x");
  element("iframe", { src: `${own}/csp?to=${encodeURIComponent(at("csp-report"))}` });
  element("a", { href: "#", ping: at("ping") }).click();
  element("script", { type: "module" }).append(`import(${JSON.stringify(at("import"))})`);
  const scripts = new Blob([`importScripts(${JSON.stringify(at("worker-script"))})`], { type: "text/javascript" });
  new Worker(URL.createObjectURL(scripts));
  const fromWorker = at("service-worker");
  quietly(async () => {
    await navigator.serviceWorker.register("/sw.js");
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage(fromWorker);
  });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  return marks;
}

/** What the hostile page's site answers; `undefined` for its other paths. */
export function hostileAnswer(
  path: string,
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } | undefined {
  const url = new URL(path, "https://hostile");
  const to = url.searchParams.get("to") ?? "";
  const html = { "content-type": "text/html" };
  if (url.pathname === "/hostile") return { status: 200, headers: html, body: "<!doctype html><title>hostile</title>" };
  if (url.pathname === "/redirect") return { status: 307, headers: { location: to }, body: "" };
  if (url.pathname === "/csp")
    return {
      status: 200,
      headers: { ...html, "content-security-policy": `img-src 'none'; report-uri ${to}` },
      body: "<img src=/x>",
    };
  if (url.pathname === "/sw.js")
    return {
      status: 200,
      headers: { "content-type": "text/javascript" },
      body: 'self.onactivate = (event) => event.waitUntil(clients.claim()); onmessage = ({ data }) => fetch(data, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" });',
    };
  return undefined;
}
