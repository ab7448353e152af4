import assert from 'node:assert/strict';
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import { matches, mayOverlap, selectorCel } from '../../operator/policy/selector.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';

const NET = { team: 'net' };

const SELECTS: readonly [what: string, selector: LabelSelector, yes: object[], no: object[]][] = [
  ['{}', {}, [{}, NET], []],
  ['matchLabels', { matchLabels: NET }, [NET, { ...NET, a: 'b' }], [{}, { team: 'db' }, { Team: 'net' }]],
  ['two matchLabels', { matchLabels: { ...NET, a: '' } }, [{ ...NET, a: '' }], [NET, { a: '' }]],
  ['In', of('In', ['net', 'db']), [NET, { team: 'db' }], [{}, { team: 'web' }]],
  ['NotIn, which an absent label meets', of('NotIn', ['net']), [{}, { team: 'db' }], [NET]],
  ['Exists', of('Exists'), [NET, { team: '' }], [{}, { a: 'b' }]],
  ['DoesNotExist', of('DoesNotExist'), [{}, { a: 'b' }], [NET, { team: '' }]],
  [
    'a key that every JavaScript object has',
    { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
    [{ constructor: 'x' }],
    [{}],
  ],
  ['all requirements together', { matchLabels: NET, ...of('NotIn', ['net']) }, [], [{}, NET]],
];

const MEET: readonly [what: string, a: LabelSelector, b: LabelSelector, overlap: boolean][] = [
  ['two that select all', {}, {}, true],
  ['different keys', { matchLabels: NET }, { matchLabels: { a: 'b' } }, true],
  ['the same value', { matchLabels: NET }, of('In', ['db', 'net']), true],
  ['different values', { matchLabels: NET }, { matchLabels: { team: 'db' } }, false],
  ['disjoint lists', of('In', ['a', 'b']), of('In', ['c']), false],
  ['a value that the other excludes', { matchLabels: NET }, of('NotIn', ['net']), false],
  ['two that exclude', of('NotIn', ['net']), of('NotIn', ['db']), true],
  ['present and absent', of('Exists'), of('DoesNotExist'), false],
  ['excluded and absent', of('NotIn', ['net']), of('DoesNotExist'), true],
  ['a list of which the other leaves one', of('In', ['a', 'b']), of('NotIn', ['a']), true],
  ['one that contradicts itself', { matchLabels: NET, ...of('DoesNotExist') }, {}, false],
];

describe('a namespace selector', () => {
  describe('selects', () => {
    for (const [what, selector, yes, no] of SELECTS) {
      it(what, () => {
        for (const labels of yes) assert.ok(matches(selector, { ...labels }), JSON.stringify(labels));
        for (const labels of no) assert.ok(!matches(selector, { ...labels }), JSON.stringify(labels));
      });
    }
  });

  describe('may overlap with another', () => {
    for (const [what, a, b, overlap] of MEET) {
      it(`${what}: ${overlap ? 'yes' : 'no'}`, () => {
        assert.equal(mayOverlap(a, b), overlap);
        assert.equal(mayOverlap(b, a), overlap);
      });
    }

    it('exactly when some labels satisfy both', () => {
      fc.assert(
        fc.property(SELECTOR, SELECTOR, (a, b) => {
          const meet = UNIVERSE.some((labels) => matches(a, labels) && matches(b, labels));
          assert.equal(mayOverlap(a, b), meet);
        }),
        { numRuns: 1000 },
      );
    });
  });

  it('means the same in CEL', () => {
    const environment = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true });
    fc.assert(
      fc.property(SELECTOR, fc.constantFrom(...UNIVERSE), (selector, labels) => {
        const text = selectorCel(selector, 'variables.labels');
        assert.equal(environment.evaluate(text, { variables: { labels } }), matches(selector, labels), text);
      }),
      { numRuns: 1000 },
    );
  });
});

function of(operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: string[]): NonNullable<LabelSelector> {
  return { matchExpressions: [{ key: 'team', operator, ...(values && { values }) }] };
}
