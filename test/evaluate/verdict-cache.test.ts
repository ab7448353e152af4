import assert from 'node:assert/strict';
import { VerdictCache } from '../../operator/evaluate/verdict-cache.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { RuleChecks } from '../../operator/policy/resolve.ts';
import { collectGarbage } from '../support/garbage.ts';

const checks = (violates: string): RuleChecks[] => [
  { rule: 'a', checks: [{ over: 'pod', violates, message: '""', path: '' }] },
];
const frozen = (annotations: Record<string, string> = {}): PodContent => ({
  annotations,
  spec: Object.freeze({ containers: [] }),
});

describe('cached verdicts', () => {
  let asked = 0;
  let cache: VerdictCache<number>;
  const get = (content: PodContent, by: readonly RuleChecks[]) => cache.get(content, by, () => ++asked);

  beforeEach(() => {
    asked = 0;
    cache = new VerdictCache();
  });

  it('a verdict is computed once for the same checks and the same content', () => {
    const [one, other] = [frozen(), frozen()];
    const [first, second] = [checks('true'), checks('false')];
    assert.deepEqual([get(one, first), get(one, first), get(other, first), get(one, second)], [1, 1, 2, 3]);
  });

  it('a cached verdict applies to every policy with the same text, even after the policy is resolved again', () => {
    const content = frozen();
    const before = checks('true');
    assert.equal(get(content, before), get(content, checks('true')));
    assert.equal(asked, 1);
  });

  it('a cached verdict does not apply to content that may change, or to content with other annotations', () => {
    const open: PodContent = { annotations: {}, spec: { containers: [] } };
    const by = checks('true');
    assert.deepEqual([get(open, by), get(open, by)], [1, 2]);
    const content = frozen();
    assert.deepEqual([get(content, by), get({ ...content, annotations: { a: 'b' } }, by)], [3, 4]);
  });

  it('the cache keeps a verdict exactly as long as the content and the checks exist', async () => {
    const content = frozen();
    const kept = checks('kept');
    get(content, kept);
    get(content, checks('dropped'));
    assert.equal(cache.texts, 2);
    await collectGarbage(() => cache.texts === 1);
    assert.equal(cache.texts, 1);
    assert.equal(get(content, checks('kept')), 1);
    assert.equal(get(content, checks('dropped')), 3);
    assert.ok(kept);
  });
});
