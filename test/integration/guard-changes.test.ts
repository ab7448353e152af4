/** Tests that the guard is in force at every moment while policies change and the operator is killed. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { allowEditor, change, EDITOR, type MetadataChange } from '../support/namespace-changes.ts';

const CHANGES = 24;
/** The least number of attempts during the changes. On a busy machine, more changes are needed for these attempts. */
const LEAST_TRIED = 200;

/** Takes the namespace out of the policy's selection, which needs `exempt` on the policy. */
const LEAVES: MetadataChange = { labels: { team: null } };

describe('the guard while policies change', () => {
  const cluster = useCluster('guard-changes');
  let namespace: string;
  let policy: string;

  function enforce(labels: Record<string, string>, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: labels }, level: 'restricted', mode: 'Enforce', ...rest };
  }

  before(async () => {
    await allowEditor(cluster.api);
    namespace = await cluster.namespace('team', { team: 'guard' });
    policy = await cluster.policy('it', enforce({ team: 'guard' }));
    await cluster.programmed(policy);
    const leaves = async () => (await change(cluster.api, namespace, LEAVES, EDITOR)).status === 403;
    await eventually('the guard', leaves);
  });

  it(`is in force at every moment of at least ${CHANGES} changes of policies`, async () => {
    const admittedAt: number[] = [];
    let [tried, changes, done] = [0, 0, false];
    const trying = (async () => {
      while (!done) {
        const { status } = await change(cluster.api, namespace, LEAVES, EDITOR);
        tried++;
        if (status < 300) admittedAt.push(changes);
        await sleep(5);
      }
    })();
    try {
      for (; changes < CHANGES || tried <= LEAST_TRIED; changes++) {
        await disturb(changes);
        await sleep(changes % 4 === 0 ? 1_500 : 150);
      }
      await cluster.programmed(policy);
    } finally {
      done = true;
      await trying;
    }
    console.log(`      ${tried} attempts during ${changes} changes`);
    assert.deepEqual(admittedAt, []);
  });

  /** Changes the namespace. The policy selects the namespace before and after the change. */
  async function disturb(turn: number): Promise<unknown> {
    switch (turn % 6) {
      case 0:
        return cluster.policy('it', enforce({ team: 'guard' }, { level: turn % 4 === 0 ? 'baseline' : 'restricted' }));
      case 1:
        return cluster.policy('noise', enforce({ team: `noise-${turn}` }));
      case 2:
        return cluster.policy('it', enforce({ team: 'guard' }, { priority: turn % 5 }));
      case 3:
        return cluster.deletePolicy(cluster.named('noise'));
      case 4: {
        const matchExpressions = [{ key: 'team', operator: 'In' as const, values: ['guard', `also-${turn}`] }];
        return cluster.policy('it', { ...enforce({}), namespaceSelector: { matchExpressions } });
      }
      default:
        return cluster.operator.stop('SIGKILL').then(() => cluster.operator.start());
    }
  }
});
