import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { documentation, type Page, ROOT, readPage } from '../support/page.ts';

const INDEX = 'docs/README.md';
/** Matches a path in a text. The path is relative to the project's folder. */
const PATH = /(?<![\w./@-])((?:engine|operator|analysis|cli|ui|hack|test)\/[\w./-]+\.(?:ts|js|json|yaml|sh|md))\b/g;

describe('links', () => {
  const pages = documentation();

  for (const page of pages) {
    it(`of ${page.path} lead somewhere`, () => {
      const broken = page.links.filter((link) => !isElsewhere(link)).flatMap((link) => problem(page, link) ?? []);
      assert.deepEqual(broken, []);
    });
  }

  it(`of ${INDEX} lead to every page`, () => {
    const { links } = readPage(INDEX);
    const named = new Set(links.map((link) => targetOf(INDEX, link).path));
    assert.deepEqual(
      pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && path !== INDEX && !named.has(path)),
      [],
    );
  });
});

describe('paths that pages, comments and scripts name', () => {
  it('lead to files that exist', () => {
    const texts = [
      'README.md',
      'package.json',
      '.ci/run',
      '.ci/campaign',
      ...filesIn('docs', 'engine', 'operator', 'analysis', 'cli', 'ui', 'hack', 'test'),
    ];
    const missing = texts.flatMap((file) =>
      Array.from(readFileSync(join(ROOT, file), 'utf8').matchAll(PATH), ([, path = '']) => path)
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${file}: ${path}`),
    );
    assert.deepEqual(missing, []);
  });
});

function filesIn(...folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => /\.(?:ts|js|md|yaml)$/.test(path));
}

/**
 * Whether the target of the link is outside this checkout. The test cannot check a link whose target is outside the
 * checkout.
 */
function isElsewhere(link: string): boolean {
  return /^[a-z]+:/.test(link);
}

/** Returns the problem with a link, as a message for the author of the page. */
function problem(page: Page, link: string): string | undefined {
  const { path, anchor } = targetOf(page.path, link);
  const file = join(ROOT, path);
  if (path.startsWith('..') || !existsSync(file)) return `${link}: there is no ${path}`;
  if (anchor === undefined) return undefined;
  if (!path.endsWith('.md') || statSync(file).isDirectory()) return `${link}: ${path} has no headings`;
  return readPage(path).anchors.has(anchor) ? undefined : `${link}: ${path} has no heading for #${anchor}`;
}

/** @returns the path relative to the project's folder */
function targetOf(from: string, link: string): { readonly path: string; readonly anchor?: string } {
  const [path = '', anchor] = decodeURI(link).split('#');
  return { path: path === '' ? from : normalize(join(dirname(from), path)), ...(anchor !== undefined && { anchor }) };
}
