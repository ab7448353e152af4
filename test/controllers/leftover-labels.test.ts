import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { ProgramOutcome } from '../../operator/apply/outcome.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { LeftoverLabels } from '../../operator/controllers/leftover-labels.ts';

const LABEL = 'rollout.capabilitypolicy.dev/gone';

describe('LeftoverLabels', () => {
  beforeEach(() => mock.method(performance, 'now', () => now));
  afterEach(() => mock.reset());
  let now = 0;

  const rows: [string, ProgramOutcome['state'], string[]][] = [
    ['removes the label of a policy that is gone, three seconds later', 'InForce', [LABEL]],
    ['keeps it while API servers compile another policy', 'Working', []],
  ];
  for (const [title, outcome, expected] of rows) {
    it(title, async () => {
      const promotions = { unused: new Set<string>() };
      const programs = new Map([['other', { state: outcome }]]);
      const policies = { isStale: false, hasExpired: () => false };
      const state = { policies, promotions, outcomes: { programs } };
      const namespaces = () => [{ name: 'a', labels: { [LABEL]: 'pending' } }];
      const cluster = { namespaces, rendered: () => [], policy: () => undefined };
      const leftover = new LeftoverLabels({ cluster, state, found() {} } as unknown as Context);
      for (now of [1_000, 4_500]) await leftover.reconcile('all', () => {});
      assert.deepEqual([...promotions.unused], expected);
    });
  }
});
