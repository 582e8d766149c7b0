// Stand-in for Authelia 4.39.20: the portal's calls to the HTTP interface, run in the browser.
export const base = document.body.dataset["base"] ?? "";

export interface Envelope<T> {
  readonly httpStatus: number;
  readonly status: "OK" | "KO";
  readonly data?: T;
  readonly message?: string;
}
export interface State {
  readonly username: string;
  readonly authentication_level: 0 | 1 | 2;
  readonly factor_knowledge: boolean;
  readonly default_redirection_url?: string;
}
export interface Info {
  readonly display_name: string;
  readonly method: string;
  readonly has_totp: boolean;
  readonly has_webauthn: boolean;
}
export interface Configuration {
  readonly available_methods: readonly string[];
  readonly password_change_disabled: boolean;
}
export interface Redirect {
  readonly redirect?: string;
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<Envelope<T>> {
  const response = await fetch(base + path, {
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

export async function need<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await call<T>(method, path, body);
  if (answer.status !== "OK") throw new Error(answer.message ?? `The server answered ${answer.httpStatus}.`);
  return answer.data as T;
}

export function go(path: string): void {
  location.assign(base + path + (path.startsWith("/settings") ? "" : location.search));
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
