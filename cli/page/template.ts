/**
 * Reads the page that `npm run build:page` builds. In the npm package and in the image, the page is a file beside the
 * program. In an executable, the page is an asset.
 */
import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';
import { UsageError } from '../command.ts';

const FILE = 'page.html';

/** Reads the page without snapshots. @throws UsageError in a checkout in which the page was not built */
export function pageTemplate(): string {
  if (isSea()) return getAsset(FILE, 'utf8');
  const place = import.meta.url.endsWith('.ts') ? `../../dist/page/${FILE}` : `./${FILE}`;
  try {
    return readFileSync(new URL(place, import.meta.url), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UsageError('the page is not built in this checkout: run `npm run build:page`');
  }
}
