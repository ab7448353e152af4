import assert from 'node:assert/strict';
import type { RolloutOutcome } from '../../operator/apply/outcome.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import type { Cause } from '../../operator/controllers/state-change.ts';
import { Status } from '../../operator/controllers/status.ts';

describe('Status.delay', () => {
  const found: Cause = { of: 'found', by: 'rollout' };
  const rows: [string, Cause, boolean, RolloutOutcome['state'] | undefined, number][] = [
    ['soon after somebody edited the policy', { of: 'policy', name: 'it' }, true, 'Working', 200],
    ['later, while the policy rolls out', found, false, 'Working', 2_000],
    ['later, before the roll-out has begun', found, false, undefined, 2_000],
    ['soon after the policy came into force', found, false, 'InForce', 200],
    ['soon after the API server refused the policy', found, false, 'Failed', 200],
    ['soon after a namespace changed', { of: 'namespace', name: 'a' }, false, 'Working', 200],
  ];
  for (const [title, cause, recompiles, state, ms] of rows) {
    it(`writes ${title}`, () => {
      const rollouts = new Map(state ? [['it', { state }]] : []);
      const status = new Status({ state: { findings: { rollouts } } } as unknown as Context);
      const change = { cause, recompiles, policies: new Set<string>(), namespaces: new Set<string>() };
      assert.equal(status.delay('it', change), ms);
    });
  }
});
