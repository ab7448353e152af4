/** Tests the links of the glossary. The linked page of a term must use the term. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, readPage } from '../support/page.ts';

const PAGE = 'docs/glossary.md';
const ROW = /^\| ([^|]+) \| ([^|]+) \| \[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\) \|$/;

describe('the glossary', () => {
  const lines = readFileSync(join(ROOT, PAGE), 'utf8').split('\n');
  const rows = lines.filter((line) => line.startsWith('| ')).slice(1);
  const terms = rows.map((row) => {
    const [, term = '', meaning = '', link = ''] = ROW.exec(row) ?? [];
    return { row, term, meaning, link };
  });

  it('the glossary has a meaning and one link for each term', () => {
    assert.ok(terms.length > 0);
    assert.deepEqual(
      terms.filter(({ link }) => link === '').map(({ row }) => row),
      [],
    );
  });

  it('has each term once, in order', () => {
    const names = terms.map(({ term }) => term);
    assert.deepEqual(names, [...new Set(names)].sort());
  });

  for (const { term, link } of terms) {
    it(`says where to read more about ${term}: that page uses the term`, () => {
      const text = readFileSync(join(ROOT, dirname(PAGE), link), 'utf8');
      assert.match(text, usedAs(term));
    });
  }

  it('docs/README.md and docs/contributing.md link the glossary, because these pages use the most terms', () => {
    for (const page of ['docs/README.md', 'docs/contributing.md'])
      assert.ok(
        readPage(page).links.some((link) => link.startsWith('glossary.md')),
        page,
      );
  });
});

/**
 * Matches a term as words or as a name in code, such as admission set, AdmissionSet or admission-set. A plural term
 * also matches its singular.
 */
function usedAs(term: string): RegExp {
  return new RegExp(`${term.replace(/s$/, '').replaceAll(' ', '[ -]?')}`, 'i');
}
