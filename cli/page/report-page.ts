/** Builds a page that contains snapshots. The page is a single file and makes no requests. */
import { gzipSync } from 'node:zlib';
import type { Snapshot } from '../../analysis/snapshot/document.ts';

const PLACE = '<!--snapshots-->';
const CONNECTS = "connect-src 'self'";

/**
 * @param template the page without snapshots. The template's Content Security Policy allows requests to the page's own
 * origin
 */
export function reportPage(template: string, snapshots: readonly Snapshot[]): string {
  const scripts = snapshots.map(embedded).join('\n');
  return withSnapshots(replaced(template, CONNECTS, "connect-src 'none'"), scripts);
}

/** @param elements the elements that replace the placeholder for snapshots */
export function withSnapshots(template: string, elements: string): string {
  return replaced(template, PLACE, elements);
}

/**
 * The snapshot as an element of the page. The data is encoded in Base64, so no character in the data can end the
 * element.
 */
function embedded(snapshot: Snapshot): string {
  const data = gzipSync(JSON.stringify(snapshot)).toString('base64');
  return `<script type="application/gzip" data-context="${escaped(snapshot.context)}">${data}</script>`;
}

/** Escapes the text of an attribute in double quotes. */
function escaped(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** @throws Error if the page does not contain the text to replace */
function replaced(page: string, text: string, by: string): string {
  if (!page.includes(text)) throw new Error(`the page has no ${text}`);
  // The second argument is a function and not a string. In a replacement string, patterns such as $& would have a
  // special meaning.
  return page.replace(text, () => by);
}
