import assert from 'node:assert/strict';
import fc from 'fast-check';
import { matches, mayOverlap } from '../../operator/policy/selector.ts';
import { SelectorIndex } from '../../operator/policy/selector-index.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';

const ITEMS = fc.array(SELECTOR, { maxLength: 8 }).map((selectors) => selectors.map((selector) => ({ selector })));

describe('SelectorIndex', () => {
  it('selecting() finds the items that select the given labels, in the given order', () => {
    fc.assert(
      fc.property(ITEMS, (items) => {
        const index = new SelectorIndex(items);
        for (const labels of UNIVERSE) {
          assert.deepEqual(
            index.selecting(labels),
            items.filter(({ selector }) => matches(selector, labels)),
          );
        }
      }),
    );
  });

  it('overlapping() finds the items that may overlap a selector, in the given order', () => {
    fc.assert(
      fc.property(ITEMS, SELECTOR, (items, selector) => {
        assert.deepEqual(
          new SelectorIndex(items).overlapping(selector),
          items.filter((item) => mayOverlap(item.selector, selector)),
        );
      }),
    );
  });
});
