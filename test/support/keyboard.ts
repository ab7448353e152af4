/** Walks through the page with only the keyboard. */
import type { Page } from './browser.ts';

const CONTROLS =
  'a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex="0"], [contenteditable="true"]';

/**
 * The maximum number of stops on a walk. Every view has fewer stops than this maximum, because a long list is only one
 * stop.
 */
const MOST_STOPS = 400;

export interface Walk {
  /** The number of times that the Tab key was pressed until the focus left the page. */
  readonly stops: number;
  /** The controls that never had the focus. */
  readonly missed: readonly string[];
  /** The control that the focus could not leave. The field is undefined if the focus could leave every control. */
  readonly trap?: string;
}

/** Walks through the page with the Tab key, from the beginning until the focus leaves the last control. */
export async function walkByTab(page: Page): Promise<Walk> {
  await page.locator('body').evaluate((body) => {
    body.ownerDocument.activeElement.blur();
    body.ownerDocument.defaultView.getSelection().removeAllRanges();
    body.tabIndex = -1;
    body.focus();
    body.removeAttribute('tabindex');
  });
  let previous = '';
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    // In an editor, the Tab key indents. As the editor's description says, the Escape key leaves the editor.
    if (await isInEditor(page)) await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    const stop = await markFocused(page, stops);
    if (stop === undefined) return { stops, missed: await missedControls(page) };
    if (stop === previous) return { stops, missed: [], trap: stop };
    previous = stop;
  }
  return { stops: MOST_STOPS, missed: [], trap: `still in the page: ${previous}` };
}

function isInEditor(page: Page): Promise<boolean> {
  return page
    .locator('body')
    .evaluate((body) => body.ownerDocument.activeElement.shadowRoot?.activeElement?.isContentEditable === true);
}

const WALKED = 'data-walked';

/** @returns undefined if the page does not have the focus */
function markFocused(page: Page, stop: number): Promise<string | undefined> {
  return page.locator('body').evaluate(
    (body, [attribute, number]) => {
      const { activeElement } = body.ownerDocument;
      if (activeElement === body || activeElement === null) return undefined;
      // The walk is over when the first control has the focus again.
      if (activeElement.getAttribute(attribute) === '0') return undefined;
      if (!activeElement.hasAttribute(attribute)) activeElement.setAttribute(attribute, number);
      return `${activeElement.getAttribute(attribute)} ${activeElement.outerHTML.slice(0, 150)}`;
    },
    [WALKED, `${stop}`] as const,
  );
}

async function missedControls(page: Page): Promise<string[]> {
  return page.locator(CONTROLS).evaluateAll((all: ControlInPage[], attribute) => {
    // The Tab key reaches only one radio button of a group. If a control in a shadow tree has the focus, the walk marks
    // the host of the shadow tree.
    const isWalked = (one: ControlInPage) =>
      one.hasAttribute(attribute) || one.getRootNode().host?.hasAttribute(attribute) === true;
    const missed = all.filter((one) => one.checkVisibility() && one.tabIndex >= 0 && !isWalked(one));
    const html = missed.filter(({ type }) => type !== 'radio').map(({ outerHTML }) => outerHTML.slice(0, 150));
    for (const one of all) one.removeAttribute(attribute);
    return html;
  }, WALKED);
}

interface ControlInPage {
  readonly outerHTML: string;
  readonly tabIndex: number;
  readonly type?: string;
  checkVisibility(): boolean;
  getRootNode(): { readonly host?: Pick<ControlInPage, 'hasAttribute'> };
  hasAttribute(name: string): boolean;
  removeAttribute(name: string): void;
}
