/**
 * Tests the operator's memory of the violations in pending namespaces. A verdict is valid only for the policies and
 * rights of its evaluation.
 */
import assert from 'node:assert/strict';
import type { PromotionVerdict } from '../../operator/evaluate/promotion.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { type EvaluatedBy, PromotionVerdicts } from '../../operator/promotion/verdicts.ts';
import { resolved } from '../support/policies.ts';

const BY: EvaluatedBy = { policies: [resolved('it')], use: createUseIndex([], []) };
const OTHER_RIGHTS = createUseIndex([], []);
const CLEAN = { violating: 0 };

describe('the verdicts about promotions', () => {
  let verdicts: PromotionVerdicts;
  const set = (verdict: PromotionVerdict, now: number, by = BY) =>
    verdicts.set('a', { ...by, verdicts: new Map([['it', verdict]]) }, now);

  beforeEach(() => {
    verdicts = new PromotionVerdicts();
  });

  const rows: [string, PromotionVerdict, PromotionVerdict, PromotionVerdict][] = [
    ['nothing of compliant namespaces', CLEAN, CLEAN, CLEAN],
    ['when a pod violated that is gone', { violating: 0, violatedAt: 5 }, CLEAN, { violating: 0, violatedAt: 5 }],
    [
      'the later of two violations',
      { violating: 0, violatedAt: 5 },
      { violating: 0, violatedAt: 7 },
      { violating: 0, violatedAt: 7 },
    ],
    ['that something violated until now', { violating: 1 }, CLEAN, { violating: 0, violatedAt: 9 }],
    ['nothing new where something still violates', { violating: 1 }, { violating: 2 }, { violating: 2 }],
  ];
  for (const [what, earlier, later, expected] of rows) {
    it(`keep ${what}`, () => {
      set(earlier, 8);
      set(later, 9);
      assert.deepEqual(verdicts.get('a', 'it', BY), expected);
    });
  }

  it('after the policies change, the old verdicts are invalid, but the time of the violation is kept', () => {
    set({ violating: 0, violatedAt: 5 }, 8);
    const edited = { ...BY, policies: [resolved('it')] };
    assert.equal(verdicts.get('a', 'it', edited), undefined);
    set(CLEAN, 9, edited);
    assert.deepEqual(verdicts.get('a', 'it', edited), { violating: 0, violatedAt: 5 });
  });

  const rights: [string, readonly ResolvedPolicy[], boolean][] = [
    [
      'end when rights change, if some policy depends on them',
      [...BY.policies, resolved('exception', { usableBy: 'Bindings' })],
      false,
    ],
    ['hold when rights change, if no policy depends on them', BY.policies, true],
  ];
  for (const [title, policies, holds] of rights) {
    it(title, () => {
      set(CLEAN, 8, { ...BY, policies });
      assert.deepEqual(verdicts.get('a', 'it', { policies, use: OTHER_RIGHTS }), holds ? CLEAN : undefined);
    });
  }

  it('a violation counts until the end of the term, and no longer', () => {
    set({ violating: 1 }, 8);
    verdicts.endTerm(10);
    assert.equal(verdicts.get('a', 'it', BY), undefined);
    verdicts.endTerm(90);
    set(CLEAN, 100);
    assert.deepEqual(verdicts.get('a', 'it', BY), { violating: 0, violatedAt: 10 });
  });

  it('forgets the verdicts of a namespace when the namespace is not pending for any policy', () => {
    set({ violating: 1 }, 8);
    verdicts.set('a', { ...BY, verdicts: new Map() }, 9);
    set(CLEAN, 10);
    assert.deepEqual([verdicts.get('a', 'it', BY), [...verdicts.policiesIn('a')]], [CLEAN, ['it']]);
  });
});
