/**
 * Builds the playground as a static site. The command line is `node config/release/site.ts [FOLDER]` (dist/site). The
 * site is the page without snapshots, with a Content Security Policy that forbids all requests.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './output.ts';
import { buildPage } from './page.ts';

const [folder = join(ROOT, 'dist', 'site')] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'index.html'), await buildPage("'none'"));
