import assert from 'node:assert/strict';
import { firstState } from '../../operator/promotion/first-state.ts';
import type { Entry, RolloutState } from '../../operator/promotion/state.ts';
import { policy } from '../support/policies.ts';

const ALL = {};
const BLOCKED: Entry = { uid: 'uid-of-a', state: 'Blocked', since: 1 };
const KEPT: RolloutState = {
  uid: 'before',
  begun: true,
  selector: ALL,
  inForce: ALL,
  excluded: [],
  namespaces: new Map([['a', BLOCKED]]),
};
const ENFORCED = policy('it', { namespaceSelector: ALL, rollout: {} }).spec;

describe('the first state of a policy that was created again', () => {
  const first = (found: { kept?: RolloutState; enforced?: typeof ENFORCED }) =>
    firstState({
      policy: 'it',
      uid: 'after',
      kept: found.kept,
      enforced: found.enforced,
      excluded: [],
      namespaces: [],
      now: 2,
    });

  // The columns: the saved state, the enforced part in the cluster, and whether the policy counts as enforced before.
  const rows: [string, { kept?: RolloutState; enforced?: typeof ENFORCED }, Partial<RolloutState>][] = [
    ['begins from the start without any trace', {}, { begun: false }],
    ['is enforced if its row exists', { enforced: ENFORCED }, { begun: true, selector: ALL }],
    ['is enforced if its row exists without rollout', { enforced: policy('it', {}).spec }, { begun: true }],
    ['goes on if its state and its row exist', { kept: KEPT, enforced: ENFORCED }, { begun: true, selector: ALL }],
    ['continues from its state if its row is lost', { kept: KEPT }, { begun: false, selector: ALL }],
    [
      'continues from the state of a deleted policy',
      { kept: { uid: 'before', begun: false, selector: ALL, deleted: 1, namespaces: KEPT.namespaces } },
      { begun: false, selector: ALL },
    ],
  ];
  for (const [title, found, expected] of rows) {
    it(title, () => {
      const state = first(found);
      assert.deepEqual({ ...state, ...expected }, state);
      assert.deepEqual([state.uid, state.deleted], ['after', undefined]);
      if (found.kept) assert.deepEqual(state.namespaces.get('a'), BLOCKED);
    });
  }

  it('trusts no label of a time at which nothing may have guarded labels', () => {
    const { inForce, rested } = first({ kept: KEPT, enforced: ENFORCED });
    assert.deepEqual([inForce, rested], [undefined, ALL]);
  });
});
