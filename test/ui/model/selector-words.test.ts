import assert from 'node:assert/strict';
import { selectorWords } from '../../../ui/model/selector-words.ts';

describe('the selector of namespaces in words', () => {
  it('has one for each label and expression', () => {
    const selector = {
      matchLabels: { team: 'network', 'example.com/stage': '' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['x'] },
        { key: 'audited', operator: 'Exists' },
        { key: 'legacy', operator: 'DoesNotExist' },
      ],
    } as const;
    assert.deepEqual(selectorWords(selector as never), [
      'team=network',
      'example.com/stage=',
      'tier in (a, b)',
      'kubernetes.io/metadata.name not in (x)',
      'with audited',
      'without legacy',
    ]);
  });

  it('has none for all namespaces', () => {
    assert.deepEqual(selectorWords({}), []);
  });
});
