/** Longest time another server may take to answer, in milliseconds. */
export const patience = 20_000;

/** Another server did not do what it was asked; the message is safe to log. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  /** @param status the HTTP status, or undefined where there was no whole answer, so that nobody knows what it did */
  constructor(
    readonly server: string,
    readonly status: number | undefined,
    what: string,
  ) {
    super(`${server}: ${what}`);
  }
}

/**
 * Follows no redirect, which could carry a token elsewhere.
 *
 * @throws UpstreamError where there is no answer at all
 */
export async function ask(server: string, url: string | URL, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(patience) });
  } catch (error) {
    throw new UpstreamError(server, undefined, error instanceof Error ? error.name : "no answer");
  }
}

/** @throws UpstreamError where the body breaks off or is no JSON; a server that answers so may have done what it was asked */
export async function jsonOf(server: string, response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new UpstreamError(server, undefined, `${response.status} without JSON`);
  }
}
