/** .gitattributes marks the files that `npm run generate` writes. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { generatedFiles } from '../../config/helm/generate.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/**
 * The first lines of a generated file. If `npm run generate` writes only a table of a page, the table itself has the
 * mark of generated content.
 */
const HEAD = /^(?:# .*\n\n)?(?:#|<!--) Written by `npm run generate`/;

const marked = readFileSync(join(ROOT, '.gitattributes'), 'utf8')
  .split('\n')
  .filter((line) => line.endsWith(' linguist-generated'))
  .map((line) => line.split(' ')[0] ?? '');
const filesOf = (patterns: readonly string[]) =>
  globSync([...patterns], { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));

describe('.gitattributes', () => {
  it('marks the generated files', () => {
    const written = [
      ...filesOf(['config/**/*.yaml', 'docs/**/*.md']).filter((file) =>
        HEAD.test(readFileSync(join(ROOT, file), 'utf8')),
      ),
      ...[...generatedFiles().keys()].map((file) => `config/helm/capabilitypolicy/${file}`),
      ...filesOf(['operator/api/generated/**']),
    ];
    assert.ok(written.length > 10);
    assert.deepEqual(
      written.filter((file) => !marked.some((pattern) => matchesGlob(file, pattern))),
      [],
    );
  });

  it('names files that exist', () => {
    assert.deepEqual(
      marked.filter((pattern) => filesOf([pattern]).length === 0),
      [],
    );
  });
});
