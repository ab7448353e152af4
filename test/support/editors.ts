/** Helpers for the editors of the playground, in tests with a browser. */
import type { Page } from './browser.ts';

/** The beginning of an editor's label. */
export type EditorLabel = 'Policies' | 'Pods' | 'Before';

/** Types of classes that exist only in the browser. */
interface Clipboard {
  readonly DataTransfer: new () => { setData(type: string, text: string): void };
  readonly ClipboardEvent: new (type: string, options: object) => object;
}

export function editor(page: Page, label: EditorLabel) {
  return page.getByRole('textbox', { name: new RegExp(`^${label}.*YAML`) });
}

/** Replaces the text of an editor. The function acts like a user who pastes a text and types its last word. */
export async function replace(page: Page, label: EditorLabel, text: string): Promise<void> {
  await editor(page, label).focus();
  await page.keyboard.press('Control+a');
  // The test pastes all words except the last word, because the editor would indent typed text.
  const at = text.search(/\S*$/);
  await editor(page, label).evaluate(
    (element, pasted) => {
      const { DataTransfer, ClipboardEvent } = globalThis as unknown as Clipboard;
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', pasted);
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }) as never);
    },
    text.slice(0, at),
  );
  await page.keyboard.type(text.slice(at));
}

export function textOf(page: Page, label: EditorLabel): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: innerText keeps the line breaks
  return editor(page, label).innerText();
}

/** The lines that are marked with an error. */
export async function markedLines(page: Page, label: EditorLabel): Promise<string[]> {
  const lines = await editor(page, label).locator('.marked-error').allInnerTexts();
  return lines.map((line) => line.trim());
}
