import type { Page } from "playwright-core";
import type { Home } from "./home";

/** A page of the signed-in browser. */
export async function pageAt({ context }: Home, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** What a script of the page gets: the status and the text, or that the browser kept it from it. */
export function call(page: Page, url: string, init: RequestInit): Promise<string> {
  return page.evaluate(
    async ([where, how]) => {
      const answer = await fetch(where, how).catch(() => undefined);
      return answer === undefined ? "kept" : `${answer.status} ${await answer.text()}`;
    },
    [url, init] as const,
  );
}
