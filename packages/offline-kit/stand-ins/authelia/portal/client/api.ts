// Stand-in for Authelia 4.39.20: the portal's calls to the HTTP interface, run in the browser.
export interface Envelope<T> {
  readonly httpStatus: number;
  readonly status: "OK" | "KO";
  readonly data?: T;
  readonly message?: string;
}
export interface State {
  readonly authentication_level: 0 | 1 | 2;
}
export interface Info {
  readonly display_name: string;
  readonly method: string;
  readonly has_totp: boolean;
  readonly has_webauthn: boolean;
}
export interface Configuration {
  readonly available_methods: readonly string[];
}
export interface Redirect {
  readonly redirect?: string;
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<Envelope<T>> {
  const response = await fetch(path, {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  try {
    return { ...((await response.json()) as Envelope<T>), httpStatus: response.status };
  } catch {
    // Some good answers have no body at all.
    const status = response.ok ? "OK" : "KO";
    return { httpStatus: response.status, status, message: `The server answered ${response.status}.` };
  }
}

/** Throws the given words, or the server's, when it refuses. */
export async function need<T>(method: string, path: string, body?: unknown, complaint?: string): Promise<T> {
  const answer = await call<T>(method, path, body);
  if (answer.status !== "OK")
    throw new Error(complaint ?? answer.message ?? `The server answered ${answer.httpStatus}.`);
  return answer.data as T;
}

export function go(path: string): void {
  location.assign(path + (path.startsWith("/settings") ? "" : location.search));
}

export function query(name: string): string | undefined {
  return new URLSearchParams(location.search).get(name) ?? undefined;
}

/** What sign-in calls send along: where the visitor wanted to go. */
export function wish(): Readonly<Record<string, string>> {
  const [targetURL, requestMethod] = [query("rd"), query("rm")];
  return {
    ...(targetURL === undefined ? {} : { targetURL }),
    ...(requestMethod === undefined ? {} : { requestMethod }),
  };
}
