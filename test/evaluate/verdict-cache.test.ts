import assert from 'node:assert/strict';
import { VerdictCache } from '../../operator/evaluate/verdict-cache.ts';
import type { PodParts } from '../../operator/model/objects.ts';
import type { RuleChecks } from '../../operator/policy/resolve.ts';
import { collectGarbage } from '../support/garbage.ts';

const checks = (violates: string): RuleChecks[] => [
  { rule: 'a', checks: [{ over: 'pod', violates, message: '""', path: '' }] },
];
const frozen = (annotations: Record<string, string> = {}): PodParts => ({
  annotations,
  spec: Object.freeze({ containers: [] }),
});

describe('cached verdicts', () => {
  let asked = 0;
  let cache: VerdictCache<number>;
  const get = (parts: PodParts, by: readonly RuleChecks[]) => cache.get(parts, by, () => ++asked);

  beforeEach(() => {
    asked = 0;
    cache = new VerdictCache();
  });

  it('are computed once for the same checks and parts', () => {
    const [one, other] = [frozen(), frozen()];
    const [first, second] = [checks('true'), checks('false')];
    assert.deepEqual([get(one, first), get(one, first), get(other, first), get(one, second)], [1, 1, 2, 3]);
  });

  it('apply to every policy with the same text, even one that is resolved again', () => {
    const parts = frozen();
    const before = checks('true');
    assert.equal(get(parts, before), get(parts, checks('true')));
    assert.equal(asked, 1);
  });

  it('do not apply to parts that may change, or with other annotations', () => {
    const open: PodParts = { annotations: {}, spec: { containers: [] } };
    const by = checks('true');
    assert.deepEqual([get(open, by), get(open, by)], [1, 2]);
    const parts = frozen();
    assert.deepEqual([get(parts, by), get({ ...parts, annotations: { a: 'b' } }, by)], [3, 4]);
  });

  it('are kept as long as parts and checks live, and no longer', async () => {
    const parts = frozen();
    const kept = checks('kept');
    get(parts, kept);
    get(parts, checks('dropped'));
    assert.equal(cache.texts, 2);
    await collectGarbage(() => cache.texts === 1);
    assert.equal(cache.texts, 1);
    assert.equal(get(parts, checks('kept')), 1);
    assert.equal(get(parts, checks('dropped')), 3);
    assert.ok(kept);
  });
});
