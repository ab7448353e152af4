/** Looks for signs that the page executed a string of the cluster instead of showing the string. */
import type { Page } from './browser.ts';
import { ATTACKED } from './hostile-cluster.ts';

/** Elements that never occur below the root of the page. */
const FOREIGN = 'script, style, link, iframe, frame, object, embed, img, video, audio, form, base, meta, template';

/**
 * The strings that were executed, one line for each string. If the page shows all strings as text, the function returns
 * an empty list.
 */
export async function executedTexts(page: Page): Promise<string[]> {
  const root = page.locator('#page');
  const elements: string[] = await root.locator(FOREIGN).evaluateAll((all) => all.map(({ outerHTML }) => outerHTML));
  const attributes = await root.locator('*').evaluateAll(foreignAttributes);
  const programs = [
    { of: 'the page', isAttacked: await page.evaluate(IS_ATTACKED) },
    ...(await Promise.all(
      page.workers().map(async (worker) => ({ of: 'the worker', isAttacked: await worker.evaluate(IS_ATTACKED) })),
    )),
  ];
  return [
    ...elements.map((html) => html.slice(0, 200)),
    ...attributes,
    ...programs.flatMap(({ of, isAttacked }) => (isAttacked ? [`executed in ${of}`] : [])),
  ];
}

const IS_ATTACKED = `globalThis.${ATTACKED} !== undefined`;

interface ElementInPage {
  readonly tagName: string;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
}

/** The attributes that the page never has. Playwright runs the function in the page. */
function foreignAttributes(all: Iterable<ElementInPage>): string[] {
  const found: string[] = [];
  for (const { tagName, attributes } of all) {
    for (const { name, value } of attributes) {
      const isLink = name === 'href' || name === 'src' || name === 'action';
      const isForeign = isLink
        ? !/^(?:#|blob:)/.test(value)
        : name.startsWith('on') || name === 'srcdoc' || (name === 'style' && value.includes('url('));
      if (isForeign) found.push(`<${tagName} ${name}="${value.slice(0, 200)}">`);
    }
  }
  return found;
}
