/**
 * Tests the commands in the section Break glass of docs/operations.md. Also tests the commands that undo the effects of
 * a break glass. break-glass-kinds.test.ts tests them on the other kinds of policies.
 */
import assert from 'node:assert/strict';
import { BACK, BY_HAND, CORE_KINDS, useBreakGlass } from '../support/break-glass.ts';
import { eventually } from '../support/harness.ts';
import { itUnprotected } from '../support/needs.ts';
import { POLICIES } from '../support/rendered.ts';

const ONLY_OPERATOR = 'the protection lets only the operator change its bindings';

describe('break glass as documented', function () {
  this.timeout(300_000);
  const { cluster, start, admits, paste, itOpensAndRestores } = useBreakGlass('glass');

  for (const kind of CORE_KINDS) itOpensAndRestores(kind);

  itUnprotected(
    ONLY_OPERATOR,
    'opens a policy with a rollout without an operator, and it goes back to where it was',
    async () => {
      const { policy, enforced, pending } = await start('rolling-out', 'by-hand');
      await cluster.operator.stop();
      await cluster.api.patch(`${POLICIES}/${policy}`, { spec: { mode: 'Audit' } });
      await paste(BY_HAND, enforced);
      await eventually('the pod to be admitted', () => admits(enforced));
      await cluster.operator.startAndWatch();
      await cluster.programmed(policy);
      await paste(BACK, policy);
      assert.deepEqual([await admits(enforced), await admits(pending)], [false, true]);
    },
  );
});
