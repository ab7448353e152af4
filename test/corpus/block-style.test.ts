/**
 * Tests that analysis/manifests/block-style.ts reads published manifests as js-yaml does. CORPUS has the same meaning
 * as in corpus.test.ts.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { parseDocument } from '../../analysis/manifests/document.ts';
import { documentsIn } from '../../analysis/manifests/split.ts';
import { isReadAlike } from '../support/read-alike.ts';

const FOLDERS = process.env.CORPUS?.split('\n') ?? [join(import.meta.dirname, 'manifests')];

describe('the corpus in block style', () => {
  it('is read as by js-yaml, most of it without', () => {
    const files = FOLDERS.flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
        .map(({ parentPath, name }) => join(parentPath, name)),
    );
    const texts = files.flatMap((file) => [...documentsIn([readFileSync(file, 'utf8')])]).map(({ text }) => text);
    const alike = texts.filter(isReadAlike);
    console.log(`      ${alike.length} of ${texts.length} documents in ${files.length} files`);
    // The test writes the values in the style of kubectl and helm.
    const written = texts.flatMap(valueIn).map((value) => dump(value, { lineWidth: -1 }));
    assert.ok(written.filter(isReadAlike).length > written.length / 2);
  });
});

/**
 * The value of a YAML document, in a list with one item. The list is empty if the text is not YAML, such as a Helm
 * template.
 */
function valueIn(text: string): unknown[] {
  try {
    return [parseDocument(text, 1)?.value ?? {}];
  } catch {
    return [];
  }
}
