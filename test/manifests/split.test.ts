/**
 * Tests streams that are cut into chunks. The documents must not depend on the positions of the cuts. Only a small part
 * of the stream may be kept in memory.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { MOST_CHARACTERS, type Piece } from '../../analysis/manifests/piece.ts';
import { splitDocuments } from '../../analysis/manifests/split.ts';
import { podManifest } from '../support/pod-manifests.ts';

async function split(chunks: Iterable<string>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of splitDocuments(streamed(chunks))) pieces.push(piece);
  return pieces;
}

async function* streamed(chunks: Iterable<string>): AsyncGenerator<string> {
  yield* chunks;
}

function pod(name: string) {
  return podManifest({ name }, { note: 'x'.repeat(4000) });
}

describe('splitting a stream', () => {
  it('the stream is split between documents, and each document has its line number', async () => {
    const pieces = await split(['a: 1\n---\nb: |\n  text\n  ---not\n...\n--- # c\nc: 3\n---\n']);
    assert.deepEqual(
      pieces.map(({ text, line }) => [line, text]),
      [
        [1, 'a: 1\n'],
        [2, '---\nb: |\n  text\n  ---not\n'],
        [6, '\n'],
        [7, '--- # c\nc: 3\n'],
        [9, '---\n'],
      ],
    );
  });

  it('gives the same result for any chunks', async () => {
    const text = ['a: 1', '---', 'b: 2', '...', '---x: 3', '--- d', '', '----', '---'].join('\n');
    const whole = await split([text]);
    const cuts = fc.array(fc.nat({ max: text.length }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [0, ...places.sort((a, b) => a - b), text.length];
        const chunks = ends.slice(1).map((end, i) => text.slice(ends[i], end));
        assert.deepEqual(await split(chunks), whole);
      }),
    );
  });

  for (const [form, write] of [
    ['YAML', (list: object) => dump(list, { seqNoIndent: true })],
    ['JSON', (list: object) => `${JSON.stringify(list, null, 4)}\n`],
  ] as const) {
    it(`splits a long list that kubectl wrote as ${form} into items`, async () => {
      const items = Array.from({ length: 600 }, (_, i) => pod(`pod-${i}`));
      const text = `${write({ apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } })}---\na: 1\n`;
      const chunks = Array.from({ length: Math.ceil(text.length / 50_000) }, (_, i) =>
        text.slice(i * 50_000, (i + 1) * 50_000),
      );
      const pieces = await split(chunks);
      assert.equal(pieces.filter(({ item }) => item).length, items.length);
      const lines = text.split('\n');
      for (const { text: own, line, item } of pieces) {
        assert.equal(lines[line - 1], own.split('\n')[0]);
        if (item) assert.match(own, /pod-\d+/);
      }
      assert.equal(pieces.at(-1)?.text, '---\na: 1\n');
    });
  }

  /**
   * Each text follows the items of a list that is larger than 1 MiB. `isDropped` says whether the reader drops the
   * text.
   */
  const ENDS: readonly (readonly [form: 'YAML' | 'JSON', end: string, isDropped: boolean])[] = [
    ['YAML', 'kind: List\nmetadata:\n  resourceVersion: ""\n', true],
    ['YAML', 'kind: List # a comment\n# another one\nmetadata: {}', true],
    ['YAML', 'kind: List\nitems:\n- {kind: Pod}\n', false],
    ['YAML', 'items: [{kind: Pod}]\n', false],
    ['YAML', '"items": [{kind: Pod}]\nkind: List\n', false],
    ['YAML', 'kind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true}\n', false],
    ['YAML', 'metadata: {\n}\n', false],
    ['JSON', ',\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n', true],
    ['JSON', ',\n    "kind": "List",\n    "metadata": {}\n}', true],
    ['JSON', '\n}\n', true],
    ['JSON', ', "items": [{"kind": "Pod"}]}\n', false],
    ['JSON', ',\n    "kind": "List",\n    "items": [{"kind": "Pod"}]\n}\n', false],
    ['JSON', ',\n    "kind": "Pod",\n    "spec": {"hostNetwork": true}\n}\n', false],
  ];

  for (const [form, end, isDropped] of ENDS) {
    it(`${isDropped ? 'drops' : 'keeps'} ${JSON.stringify(end)} at the end of a long list in ${form}`, async () => {
      const items = Array.from({ length: 600 }, (_, i) => pod(`pod-${i}`));
      const text =
        form === 'YAML'
          ? `apiVersion: v1\n${dump({ items }, { seqNoIndent: true })}${end}`
          : `{\n    "apiVersion": "v1",\n${JSON.stringify({ items }, null, 4).slice(2, -2)}${end}`;
      const pieces = await split([text.slice(0, 1_500_000), text.slice(1_500_000)]);
      const rest = pieces.slice(items.length);
      assert.equal(pieces.filter(({ item }) => item).length, items.length);
      assert.deepEqual(
        rest.map((piece) => [piece.text, piece.line, piece.item]),
        isDropped ? [] : [[text.slice(text.lastIndexOf(end) - (form === 'JSON' ? 5 : 0)), rest[0]?.line, false]],
      );
      if (!isDropped) assert.equal(text.split('\n')[(rest[0]?.line ?? 0) - 1], rest[0]?.text.split('\n')[0]);
    });
  }

  it('a document that is larger than any object is skipped, and the next document is read', async () => {
    function* chunks() {
      yield 'a: 1\n---\nb: "';
      for (let size = 0; size <= MOST_CHARACTERS; size += 1_000_000) yield 'x'.repeat(1_000_000);
      yield '"\nc: 2\n---\nd: 3\n';
    }
    const pieces = await split(chunks());
    assert.deepEqual(
      pieces.map(({ text, line, tooLarge = false }) => [line, text, tooLarge]),
      [
        [1, 'a: 1\n', false],
        [2, '', true],
        [5, '---\nd: 3\n', false],
      ],
    );
  });
});
