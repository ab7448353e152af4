/** Tests the value of a document, and the lines of its fields. */
import assert from 'node:assert/strict';
import { DocumentError, parseDocument } from '../../analysis/manifests/document.ts';
import type { FieldPath } from '../../analysis/schema/paths.ts';
import { cpuMs } from '../support/measured.ts';

describe('a scalar', () => {
  // Pairs of a YAML text and a value. The value is the output of `kubectl create --dry-run=client -o json` for the
  // text.
  const READ: readonly (readonly [text: string, value: unknown])[] = [
    ['yes', true],
    ['On', true],
    ['y', true],
    ['off', false],
    ['"yes"', 'yes'],
    ['010', 8],
    ['0o17', 15],
    ['0x1F', 31],
    ['-0b11', -3],
    ['1_000', 1000],
    ['08', 8],
    ['+7', 7],
    ['0', 0],
    ['1.50', 1.5],
    ['1e3', 1000],
    ['12:30', '12:30'],
    ['0.1.2', '0.1.2'],
    ['~', null],
    ['Null', null],
    ['2026-01-01', '2026-01-01'],
    ['v1', 'v1'],
  ];

  for (const [text, value] of READ) {
    it(`${text} is ${JSON.stringify(value)}, as for kubectl`, () => {
      assert.deepEqual(parseDocument(`a: ${text}`, 1)?.value, { a: value });
    });
  }
});

describe('the line of a field', () => {
  const TEXT = `# a comment
apiVersion: v1
kind: Pod
metadata:
  name: pod
  annotations: {"a.b/c": x,
    d: y}
spec:
  containers:
  - name: one
    securityContext:
      privileged: true
  - image: two
    name: >-
      folded
      name
    "securityContext": {capabilities: {add: [NET_RAW,
      SYS_TIME]}}
`;
  const LINES: readonly (readonly [path: FieldPath, line: number])[] = [
    [[], 2],
    [['kind'], 3],
    [['metadata', 'annotations', 'a.b/c'], 6],
    [['metadata', 'annotations', 'd'], 7],
    [['spec', 'containers', 0], 10],
    [['spec', 'containers', 0, 'securityContext', 'privileged'], 12],
    [['spec', 'containers', 1, 'name'], 14],
    [['spec', 'containers', 1, 'securityContext', 'capabilities', 'add', 0], 17],
    [['spec', 'containers', 1, 'securityContext', 'capabilities', 'add', 1], 18],
  ];
  const document = parseDocument(TEXT, 1);

  for (const [path, line] of LINES) {
    it(`${path.join('.') || 'the object itself'} is on line ${line}`, () => assert.equal(document?.lineOf(path), line));
  }

  it('the line of a missing field is the line of the nearest field around it', () => {
    assert.equal(document?.lineOf(['spec', 'containers', 0, 'securityContext', 'capabilities', 'drop']), 11);
    assert.equal(document?.lineOf(['spec', 'containers', 2, 'name']), 9);
    assert.equal(document?.lineOf(['spec', 'volumes', 0]), 8);
  });

  it('the line of a field counts from the first line of the document', () => {
    assert.equal(parseDocument(TEXT, 101)?.lineOf(['kind']), 103);
  });

  it('is known in JSON, too', () => {
    const json = parseDocument('{\n\t"kind": "Pod",\n\t"spec": {"a\\/b": [\n1,\n2]}\n}', 1);
    assert.equal(json?.lineOf(['spec', 'a/b', 1]), 5);
  });

  it('the lines of many items are found without a walk over all earlier items', async () => {
    const count = 20_000;
    const items = Array.from({ length: count }, (_, i) => ({ metadata: { name: `a${i}`, labels: { a: 'b' } } }));
    const json = parseDocument(JSON.stringify({ items }, undefined, 1), 1);
    let lines: readonly unknown[] = [];
    const ms = await cpuMs(() => {
      lines = items.map((_, i) => json?.lineOf(['items', i, 'metadata']));
    });
    assert.deepEqual(lines.slice(0, 2), [4, 12]);
    // If the code walked over all items to find one item, the test would take minutes.
    assert.ok(ms < 5_000, `${ms} ms`);
  });

  it('the lines of many fields are found without a walk over all earlier fields', async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `a${i}`);
    const fields = Object.fromEntries(names.map((name) => [name, { labels: { a: 'b', c: 'd' } }]));
    const json = parseDocument(JSON.stringify({ fields }, undefined, 1), 1);
    let lines: readonly unknown[] = [];
    const ms = await cpuMs(() => {
      lines = names.map((name) => json?.lineOf(['fields', name, 'labels']));
    });
    assert.deepEqual(lines.slice(0, 2), [4, 10]);
    // If each field visited every alias, the test would take a minute.
    assert.ok(ms < 5_000, `${ms} ms`);
  });
});

describe('a text that is not a document', () => {
  const BOMB = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
    .concat([...'bcdefgh'].map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[i]}`).join(',')}]`))
    .join('\n');
  const MERGE_BOMB = `a: &a {${Array.from({ length: 10_000 }, (_, i) => `a${i}: 1`).join(', ')}}\nb: [${Array(500).fill('{<<: *a}').join(', ')}]`;
  const WRONG: readonly (readonly [what: string, text: string, line: number, message: RegExp])[] = [
    ['is not YAML', 'a: 1\nb: [1,\n  2\nc: 3', 4, /^not YAML: /],
    ['has a key twice', 'a: 1\nb: 2\na: 3', 3, /^not YAML: the key a occurs twice in the same mapping: remove one$/],
    ['has a key twice in JSON', '{"a b": 1,\n"a b": 2}', 2, /^not YAML: the key a b occurs twice/],
    ['is a Helm template', 'a: 1\nb: {{ .Values.b }}', 2, /^a Helm template.*helm template/],
    ['is a Helm template with conditions', '{{- if .Values.on }}\na: 1\n{{- end }}', 1, /^a Helm template/],
    ['is a Helm template on a later line', 'a:\n  b: 1\n  c: {{ .Values.c }}\nd: 1', 3, /^a Helm template/],
    [
      'has braces in a text, and another error elsewhere',
      'a: |\n  {{ b }}\nc: 1\n\nc: 2',
      5,
      /^not YAML: the key c occurs/,
    ],
    ['holds itself', 'a: &a\n  b: *a', 2, /^an alias refers to a node that contains the alias/],
    ['merges a text', 'a: {<<: text}', 1, /^not YAML: a merge key \(<<\) needs a mapping, or a list of mappings$/],
    ['merges nothing', 'a: 1\nb: {<<: ~}', 2, /^not YAML: a merge key/],
    ['merges a list in a list', 'b: {<<: [[]]}', 1, /^not YAML: a merge key/],
    [
      'merges itself',
      'a: &a {<<: *a}',
      1,
      /^not YAML: a merge key \(<<\) refers to the mapping that contains the merge key$/,
    ],
    ['has a key twice beside a merge', 'a: {b: 1, <<: {c: 1}, b: 2}', 1, /^not YAML: the key b occurs twice/],
    ['merges without bounds', MERGE_BOMB, 2, /^not YAML: merge keys make the document too large/],
    ['grows without bounds', BOMB, 2, /^aliases make the document too large/],
    ['has an alias to nothing', 'a: *b', 1, /^not YAML: unidentified alias/],
    ['has a tag of another language', 'a: !!python/object x', 1, /^not YAML: unknown/],
    ['is nested beyond measure', `a: ${'['.repeat(10_000)}`, 1, /^not YAML: nesting/],
    ['is binary', 'a: \0', 1, /^not YAML: null byte/],
  ];

  for (const [what, text, line, message] of WRONG) {
    it(`because it ${what}: reports the line`, () => {
      assert.throws(
        () => parseDocument(text, 1),
        (error) => error instanceof DocumentError && error.line === line && message.test(error.message),
      );
    });
  }

  it('reads empty input as nothing', () => assert.equal(parseDocument('# only a comment\n\n', 1), undefined));
  it('reads valid aliases', () => {
    assert.deepEqual(parseDocument('a: &a {x: 1}\nb: *a\nc: {<<: *a, z: 2}', 1)?.value, {
      a: { x: 1 },
      b: { x: 1 },
      c: { x: 1, z: 2 },
    });
  });
});

describe('the merge keys', () => {
  /**
   * Pairs of a YAML text and the object that kubectl sends for the text. The test test/cli/kubectl.test.ts compares
   * with the real kubectl.
   */
  const MERGED: readonly (readonly [text: string, value: object])[] = [
    ['{a: 1, <<: *x}', { a: 9, b: 9 }],
    ['{<<: *x, a: 1}', { a: 1, b: 9 }],
    ['{a: 1, <<: *x, b: 2}', { a: 9, b: 2 }],
    ['{a: 1, <<: *x, a: 2}', { a: 2, b: 9 }],
    ['{<<: *x, <<: *y}', { a: 8, b: 9, c: 8 }],
    ['{<<: [*x, *y]}', { a: 9, b: 9, c: 8 }],
    ['{c: 1, <<: [{b: 0}, *y], a: 2}', { a: 2, b: 0, c: 8 }],
    ['{a: 1, "<<": {a: 2}}', { a: 1, '<<': { a: 2 } }],
    ['{<<: {<<: *x, b: 1}}', { a: 9, b: 1 }],
    ['{a: {k: 1}, <<: {a: {l: 1}}}', { a: { l: 1 } }],
    ['{a: <<, b: [<<]}', { a: '<<', b: ['<<'] }],
    ['{__proto__: 1, <<: {constructor: 2}}', JSON.parse('{"__proto__": 1, "constructor": 2}')],
  ];

  for (const [text, value] of MERGED) {
    it(`of ${text} are read in their order, as kubectl does`, () => {
      const read = parseDocument(`x: &x {a: 9, b: 9}\ny: &y {a: 8, c: 8}\nz: ${text}`, 1)?.value;
      assert.deepEqual((read as { z: object }).z, value);
    });
  }
});
