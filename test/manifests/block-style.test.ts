/**
 * Tests analysis/manifests/block-style.ts. The code either reads a text in the same way as js-yaml, or leaves the text
 * to js-yaml.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { readBlockStyle } from '../../analysis/manifests/block-style.ts';
import { documentsIn } from '../../analysis/manifests/split.ts';
import { Random } from '../support/random.ts';
import { randomPods } from '../support/random-pods.ts';
import { randomStream } from '../support/random-yaml.ts';
import { isReadAlike } from '../support/read-alike.ts';
import { SEED } from '../support/seed.ts';

/** The number of runs. FC_RUNS=100000 selects the long form of this test. */
const RUNS = Number(process.env.FC_RUNS ?? 2000);

const anyText = fc.string({ unit: 'grapheme', maxLength: 8 });

describe(`block style (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS);
  const check = (texts: fc.Arbitrary<string>, least: number) => {
    let found = 0;
    const property = fc.property(texts, (text) => {
      if (isReadAlike(text)) found += 1;
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
    assert.ok(found >= RUNS * least, `read ${found} of ${RUNS}`);
  };

  for (const text of [
    'a: 1',
    '---\na: 1\n',
    '# first\n\n---\na: 1\n',
    'a: 1 # one\nb: # two\n  c: "#" # three\n# four\n    # five\nd:\n\n- e # six\n',
    'a:\n- b: 1\n  c:\n  - d\n  - - e\n    - f\ng:\n  - 1\n',
    '-   a: 1\n    b: 2\n- c\n',
    'a:   x   \nb: \n',
    'a: {}\nb: []\nc:\nd: ~\ne: null\n',
    `a: 'it is'\n'b': "c"\n"d e": 'f: # g'\n"": ""\n'on': "off"\n`,
    'a: yes\nb: 010\nc: 1_000\nd: .inf\ne: -1.5e3\nf: v1\ng: 1.2.3\nh: 0x1F\ni: 12:30\n',
    'a: --x\nb: :8000\nc: ?d\ne: -1\nf: a,b[c]{d}\ng: http://x/y?z#w\nh: it\'s "so"\ni: <<\n',
    'a.b/c-d_e: x\n_f: y\nA1: z\n',
    'a:\n    b:\n     c: 1\n     d: 2\n    e: 3\n',
    'a: [b]\nc: [ "d", \'e\', f g , 1, -2, --x, [h], {i: j} ] # k\nl: [http://m:80/n]\n',
    'a: {b: c}\nd: { e: "f", "g": [h, i], j: {k: 1.5} }\nl: [{}, []]\n- m: 1\n'.replace('- m: 1\n', ''),
    '- {a: b}\n- [c]\n- - {d: e}\n',
    `a: 'it''s'\nb: "c\\"d\\\\e\\n"\n'f''g': 1\n"h\\ti": 2\n`,
    'a: |\n  b\n',
    'a: |-\n  b\n   c\n\n  d\n\n\ne: |+ # f\n  g\n\nh: 1\n',
    'a: >-\n  b\n  c\n\n  d\n\n\n  e\nf: >\n  g\nh: >+\n\n  i\n\n',
    'a: |\nb: >-\nc: |\n\n\nd: 1\n',
    '- a: |\n   b\n- c: |\n    d\n  e: 1\n',
    'a:\n  b: |\n    c: d\n    # e\n   # f\n  g: 1\n',
    'a: |\n  #!/bin/sh\n  exec "$@"\n# end\n',
  ]) {
    it(`reads ${JSON.stringify(text)}`, () => assert.ok(isReadAlike(text)));
  }

  for (const text of [
    '',
    '# nothing\n',
    '---\n',
    'a',
    'a: b\n c: d\n',
    'a: b\n  c\n',
    'a:\n  b: 1\n c: 2\n',
    'a:\n  - b\n - c\n',
    '- a\nb: c\n',
    'a: 1\n- b\n',
    'a: 1\na: 2\n',
    'a: 1\n"a": 2\n',
    'constructor: 1\n',
    '__proto__: {}\n',
    'on: 1\n',
    'null: 1\n',
    '1: a\n',
    '<<: {}\n',
    '? a\n: b\n',
    'a: - b\n',
    '-\n',
    '- # c\n  a: 1\n',
    'a: b: c\n',
    'a: b:\n',
    'a : b\n',
    'a: &x 1\nb: *x\n',
    'a: !!str 1\n',
    'a: {}b\n',
    'a: [b\n  ]\n',
    'a: [b, ]\n',
    'a: [b: c]\n',
    'a: [b #c]\n',
    'a: [b [c]]\n',
    'a: [? b]\n',
    'a: [-]\n',
    'a: [:b]\n',
    'a: [b:]\n',
    'a: [&b c]\n',
    'a: {b}\n',
    'a: {b:c}\n',
    'a: {b: }\n',
    'a: {"b":c}\n',
    'a: {b : c}\n',
    'a: {b: 1, b: 2}\n',
    'a: {on: 1}\n',
    'a: {__proto__: {}}\n',
    'a: "\\x41"\n',
    'a: "\\u00e9"\n',
    'a: "b\\\n  c"\n',
    '- |\n  a\n',
    'a: |2\n   b\n',
    'a: |x\n  b\n',
    'a: |#x\n  b\n',
    'a: |\n    \n  b\n',
    'a: >\n  b\n   c\n  d\n',
    'a: | b\n  c\n',
    'a: |\n  b\n c\n',
    'a: "b\n  c"\n',
    'a: "b" c\n',
    'a: "b"# c\n',
    'a: %b\n',
    'a: @b\n',
    'a: `b`\n',
    'a: 1\n---\nb: 2\n',
    'a: 1\n...\n',
    '%YAML 1.2\n---\na: 1\n',
    'a:\tb\n',
    'a: b\t\n',
    'a: b\r\n',
    'a: \u00e9\n',
    '\ufeffa: 1\n',
    'a: \u0000\n',
    `${Array.from({ length: 60 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')}`,
    `${'a'.repeat(1100)}: 1\n`,
    '{"a": 1}\n',
  ]) {
    it(`leaves ${JSON.stringify(text.slice(0, 60))} to js-yaml`, () => assert.equal(readBlockStyle(text), undefined));
  }

  it('reads what js-yaml writes as js-yaml does', () => {
    const key = fc.oneof({ weight: 5, arbitrary: fc.stringMatching(/^[a-z][A-Za-z0-9./-]{0,9}$/) }, anyText);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(
          { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9:/.#, -]{0,12}$/) },
          anyText,
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.double(),
        ),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    const options = fc.record({
      indent: fc.constantFrom(2, 3, 4),
      noArrayIndent: fc.boolean(),
      lineWidth: fc.constantFrom(-1, 80, 10),
      forceQuotes: fc.boolean(),
    });
    check(
      fc
        .tuple(fc.dictionary(key, tree, { minKeys: 1, maxKeys: 5 }), options)
        .map(([value, how]) => dump(value, { ...how, noRefs: true })),
      0.02,
    );
  });

  it('the block-style reader and js-yaml read manifests in random styles in the same way', () => {
    const stream = fc
      .tuple(randomPods(), fc.nat())
      .map(([pod, seed]) => randomStream([{ apiVersion: 'v1', kind: 'Pod', spec: pod }], new Random(seed)));
    check(
      stream.map((text) => [...documentsIn([text])][0]?.text ?? ''),
      0.02,
    );
  });

  it('block style reads lines of random parts in the same way as js-yaml, or leaves the lines to js-yaml', () => {
    const part = fc.constantFrom(
      ...[
        'a',
        'b',
        'c',
        'key',
        'on',
        '1',
        '-1',
        '~',
        '""',
        "''",
        '"a"',
        "'b'",
        '{}',
        '[]',
        '"',
        "'",
        '|',
        '>',
        '&a',
        '*a',
      ],
      ...[
        '!!str',
        '%',
        '@',
        '`',
        '{',
        '}',
        '[',
        ']',
        ',',
        '<<',
        '---',
        '...',
        '\\',
        'x#y',
        'x:y',
        '\u00e9',
        '\t',
        '\r',
      ],
    );
    const token = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'x', '"q"', '2') },
      { weight: 1, arbitrary: part },
    );
    const line = fc
      .tuple(
        fc.constantFrom(0, 0, 2, 2, 4, 1, 3, 6),
        fc.constantFrom('', '', '', '- ', '- ', '- - ', '-', '-   ', '# ', '? '),
        token,
        fc.constantFrom(': ', ':', ': ', ':', '', ' : ', ':  ', ': - ', ' ', ': #', ' #'),
        fc.oneof({ weight: 3, arbitrary: token }, { weight: 2, arbitrary: fc.constant('') }),
        fc.constantFrom('', '', '', ' ', ' # c', '#c', ': d', ' e'),
      )
      .map(([indent, ...parts]) => ' '.repeat(indent) + parts.join(''));
    check(
      fc
        .tuple(fc.array(line, { minLength: 1, maxLength: 7 }), fc.boolean())
        .map(([all, ends]) => all.join('\n') + (ends ? '\n' : '')),
      0.02,
    );
  });

  it('block style reads manifests with a changed character in the same way as js-yaml, or leaves the manifests to js-yaml', () => {
    const manifest = randomPods().map((spec) => dump({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec }));
    const character = fc.constantFrom(...' \n:-#\'"{}[],&*!|>%@`?\\\tab01~<.', '');
    check(
      fc.tuple(manifest, fc.nat(), character, fc.boolean()).map(([text, nat, by, replaces]) => {
        const at = nat % text.length;
        return text.slice(0, at) + by + text.slice(at + (replaces ? 1 : 0));
      }),
      0.02,
    );
  });
});
