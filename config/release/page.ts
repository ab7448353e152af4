/**
 * Builds the page as one file, `page.html`. The file contains the program, the worker, the style, and a Content Security Policy that allows no other code. `cappol
 * report` adds snapshots to the page, and `cappol ui` serves the page unchanged.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { type Contents, contentsOf, mergeContents } from './contents.ts';
import { ROOT } from './output.ts';

/** The modules of Node that the pure folders use. Each value is the file that replaces the module in the browser. */
const ALIASES = {
  'node:crypto': './ui/platform/crypto.ts',
  'node:timers/promises': './ui/platform/timers.ts',
  'node:util': './ui/platform/util.ts',
};

type Connect = "'self'" | "'none'";

/**
 * @param connect the destinations to which the page may send requests. `cappol ui` serves data on the page's own origin
 */
export async function buildPage(connect: Connect = "'self'"): Promise<string> {
  return [...(await bundlePage(connect)).files.values()].join('');
}

/**
 * Bundles the page. The result contains the text of the page's only file, and the lists of the packages and sources in
 * the page.
 */
export async function bundlePage(connect: Connect = "'self'") {
  const [program, worker] = await Promise.all([
    bundled({ entryPoints: { script: 'ui/main.tsx', style: 'ui/style.css' } }),
    bundled({ entryPoints: { worker: 'ui/worker/worker.ts' } }),
  ]);
  const { script = '', style = '' } = program.texts;
  const texts: Readonly<Record<string, string>> = {
    ...program.texts,
    ...worker.texts,
    policy: contentPolicy(script, style, connect),
  };
  const page = readFileSync(join(ROOT, 'ui', 'index.html'), 'utf8');
  const html = page.replace(/\{\{(\w+)\}\}/g, (_, name: string) => texts[name] ?? '');
  return { files: new Map([['page.html', html]]), ...mergeContents([program, worker]) };
}

/** The content of each built file. Each key is the name of a file's entry point. */
async function bundled(options: BuildOptions): Promise<Contents & { texts: Readonly<Record<string, string>> }> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    outdir: ROOT,
    format: 'iife',
    platform: 'browser',
    target: ['chrome125', 'firefox128', 'safari18'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    charset: 'ascii',
    legalComments: 'none',
    alias: ALIASES,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'warning',
    ...options,
    metafile: true,
  });
  const texts = (outputFiles ?? []).map(({ path, text }) => [parse(path).name, text.trim()]);
  return { texts: Object.fromEntries(texts), ...contentsOf(metafile) };
}

function contentPolicy(script: string, style: string, connect: Connect): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'worker-src blob:',
    'img-src data:',
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/**
 * Writes the page into dist/page, where cappol finds the page in a checkout. The write is atomic, because another
 * process may read the page.
 * @returns the text of the page
 */
export async function writePage(folder: string = join(ROOT, 'dist', 'page')): Promise<string> {
  const page = await buildPage();
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `.${process.pid}.html`);
  writeFileSync(temporary, page);
  renameSync(temporary, join(folder, 'page.html'));
  return page;
}

if (import.meta.main) {
  const help = `Usage: npm run build:page -- [FOLDER]

Builds the page of \`cappol ui\` and \`cappol report\` into FOLDER (default: dist/page).

`;
  const { positionals } = argumentsOrExit('build:page', help, { allowPositionals: true });
  await writePage(...positionals);
}
