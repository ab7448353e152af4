/** The page with snapshots in it, as one file that makes no request. */
import { gzipSync } from 'node:zlib';
import type { Snapshot } from '../../analysis/snapshot/document.ts';

const PLACE = '<!--snapshots-->';
const CONNECTS = "connect-src 'self'";

/** @param template the page without data, which may send requests to its own origin */
export function reportPage(template: string, snapshots: readonly Snapshot[]): string {
  const scripts = snapshots.map(embedded).join('\n');
  return withSnapshots(replaced(template, CONNECTS, "connect-src 'none'"), scripts);
}

/** @param elements the text that replaces the placeholder of the snapshots */
export function withSnapshots(template: string, elements: string): string {
  return replaced(template, PLACE, elements);
}

/** The snapshot as an element of the page. Base64 has no character that could end the element. */
function embedded(snapshot: Snapshot): string {
  const data = gzipSync(JSON.stringify(snapshot)).toString('base64');
  return `<script type="application/gzip" data-context="${escaped(snapshot.context)}">${data}</script>`;
}

/** Escapes the text of an attribute in double quotes. */
function escaped(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** @throws Error if the page does not contain the text, because a page without the replacement would be wrong */
function replaced(page: string, text: string, by: string): string {
  if (!page.includes(text)) throw new Error(`the page has no ${text}`);
  // The replacement is a function, because a string could contain special patterns, such as $&.
  return page.replace(text, () => by);
}
