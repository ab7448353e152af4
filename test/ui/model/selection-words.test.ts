import assert from 'node:assert/strict';
import type { SelectedNamespace } from '../../../analysis/policies/selected-namespaces.ts';
import { costsByLabel, labelText } from '../../../ui/model/label-words.ts';
import { type SelectionState, selectionState, whyText } from '../../../ui/model/selection-words.ts';

const at = (fields: Partial<SelectedNamespace> & Pick<SelectedNamespace, 'role'>): SelectedNamespace => ({
  namespace: 'a',
  mode: 'Enforce',
  pending: false,
  ...fields,
});
const other = (policy: string, priority: number) => ({ policy, priority });

const ROWS: readonly [selected: SelectedNamespace, state: SelectionState, why: string][] = [
  [at({ role: { name: 'Decides', over: [] } }), 'decides', 'No other policy of mode Enforce selects it.'],
  [
    at({ role: { name: 'Decides', over: [other('b', 0), other('c', 1)] } }),
    'decides',
    'Its priority 5 is higher than that of b (0), c (1).',
  ],
  [
    at({ role: { name: 'Shares', with: [other('b', 5)], over: [] } }),
    'shares',
    'b (priority 5) has the same priority: a pod must satisfy only one of these policies.',
  ],
  [
    at({ role: { name: 'Overridden', by: ['b', 'c', 'd', 'e'].map((name) => other(name, 9)) } }),
    'overridden',
    'b, c, d and 1 more (priority 9) have a higher priority than 5.',
  ],
  [
    at({ role: { name: 'Decides', over: [] }, pending: true, mode: 'Warn' }),
    'pending',
    'The rollout does not enforce the policy here yet: until then, the policy only warns about pods.',
  ],
  [at({ role: { name: 'Terminating' } }), 'terminating', 'It is being deleted: nothing can be created in it.'],
  [at({ role: { name: 'Excluded' } }), 'excluded', 'The operator excludes it: no policy reaches it.'],
];

describe('why a policy decides', () => {
  for (const [selected, state, why] of ROWS) {
    it(`${state}: ${why}`, () => {
      assert.equal(selectionState(selected), state);
      assert.equal(whyText(selected, 5), why);
    });
  }
});

describe('why a label is no tighter', () => {
  it('names the version and the containers', () => {
    const wanted = { policy: 'a', level: 'restricted', minor: 30 } as const;
    assert.equal(labelText(undefined), 'none');
    assert.deepEqual(
      costsByLabel([
        { ...wanted, rule: 'runAsNonRoot', containers: ['init'] },
        { ...wanted, rule: 'capabilities', containers: [] },
        { ...wanted, rule: undefined, containers: undefined },
        { ...wanted, level: 'baseline', rule: 'hostPorts', containers: undefined },
      ]),
      [
        {
          label: 'restricted v1.30',
          rules: ['runAsNonRoot (container init)', 'capabilities (single containers)'],
          beforeFilling: true,
        },
        { label: 'baseline v1.30', rules: ['hostPorts'], beforeFilling: false },
      ],
    );
  });
});
