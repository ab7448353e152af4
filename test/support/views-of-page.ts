/** Lists the views of the page, for tests that visit each view. */
import { readFileSync } from 'node:fs';
import { OPEN_QUESTIONS, type Page } from './browser.ts';

export interface ViewOfPage {
  readonly name: string;
  readonly title: string;
}

/** The views in ui/views/index.ts. The file is read as text, because Node does not run `.tsx`. */
export const VIEWS: readonly ViewOfPage[] = Array.from(
  readFileSync('ui/views/index.ts', 'utf8').matchAll(/\bname: '([^']+)', title: '([^']+)'/g),
  ([, name = '', title = '']) => ({ name, title }),
);

/**
 * The document counts as settled if the document has not changed for this time in ms. A filter of the page waits for a
 * shorter time for further typing. Load on the machine delays the filter and this wait equally.
 */
const QUIET_MS = 250;

/**
 * Resolves when the page has read its clusters and the worker has answered all questions. The page must also be
 * unchanged for a while.
 */
export async function settled(page: Page, quietMs = QUIET_MS): Promise<void> {
  await page.locator('body').evaluate(
    (body, [quiet, openQuestions]) =>
      new Promise<void>((resolve) => {
        const page = body.ownerDocument.defaultView;
        const observer = new page.MutationObserver(restart);
        let timer = setTimeout(end, quiet);
        function restart() {
          clearTimeout(timer);
          timer = setTimeout(end, quiet);
        }
        function end() {
          const view = body.querySelector('main')?.textContent ?? '';
          if (page[openQuestions] > 0 || /^(?:$|Reading )/.test(view)) return restart();
          observer.disconnect();
          resolve();
        }
        observer.observe(body, { subtree: true, childList: true, characterData: true, attributes: true });
      }),
    [quietMs, OPEN_QUESTIONS] as const,
  );
}

/** Goes to a view through the navigation. */
export async function goTo(page: Page, { title }: ViewOfPage): Promise<void> {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: title, exact: true }).click();
  await page.locator(`main[aria-label="${title}"]`).waitFor();
  await settled(page);
}

/** @throws an Error if no view of the page has the name */
export function viewNamed(name: string): ViewOfPage {
  const view = VIEWS.find((one) => one.name === name);
  if (!view) throw new Error(`the page has no view ${name}`);
  return view;
}
