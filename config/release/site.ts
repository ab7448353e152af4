/**
 * Builds the playground as a static site: the page without snapshots, with a Content Security Policy that forbids all
 * requests.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { ROOT } from './output.ts';
import { buildPage } from './page.ts';

const HELP = `Usage: npm run build:site -- [FOLDER]

Builds the playground as a static site into FOLDER (default: dist/site).

`;

const { positionals } = argumentsOrExit('build:site', HELP, { allowPositionals: true });
const [folder = join(ROOT, 'dist', 'site')] = positionals;
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'index.html'), await buildPage("'none'"));
