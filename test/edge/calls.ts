import type { Page } from "playwright-core";
import type { Home } from "./home";

/** A page of the signed-in browser. */
export async function pageAt({ context }: Home, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Options of `fetch` that go into a page as JSON. */
interface Wanted extends Pick<RequestInit, "credentials" | "method" | "mode"> {
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** What a script of the page gets: the status and the text, or that the browser kept it from it. */
export function call(page: Page, url: string, init: Wanted): Promise<string> {
  return page.evaluate(
    async ([where, how]) => {
      const answer = await fetch(where, how).catch(() => undefined);
      return answer === undefined ? "kept" : `${answer.status} ${await answer.text()}`;
    },
    [url, init] as const,
  );
}
