/** Tests the health that Argo CD and Flux derive from every possible status. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { buildStatus, type StatusInput } from '../../operator/report/status.ts';
import { state } from '../report/arbitrary.ts';
import { condition, withStatus } from '../report/fixtures.ts';
import { describeWith } from '../support/needs.ts';
import { type Health, healthOf } from './health.ts';
import { kstatusOf } from './kstatus.ts';

const COUNT = 300;

/** The health of a policy, in the three values that Argo CD and kstatus share. */
type Verdict = 'ready' | 'working' | 'failed';

const KSTATUS: Readonly<Record<string, Verdict>> = { Current: 'ready', InProgress: 'working', Failed: 'failed' };
const HEALTH: Readonly<Record<string, Verdict>> = { Healthy: 'ready', Progressing: 'working', Degraded: 'failed' };

/**
 * Policies at four stages. The stages are: no status yet, a first status, a second status, and an edit after the second
 * status.
 */
function lives(states: readonly (readonly [StatusInput, StatusInput])[]): CapabilityPolicy[] {
  return states.flatMap(([earlier, later]) => {
    // The default status in the CRD. A policy has this status until the operator sees the policy.
    const fresh = withStatus({ observedGeneration: -1 }, earlier);
    const first = buildStatus(fresh);
    const next = buildStatus(withStatus(first, later));
    const { policy } = withStatus(next, later);
    const changed = { ...policy, metadata: { ...policy.metadata, generation: 2 } };
    return [fresh.policy, withStatus(first, earlier).policy, policy, changed];
  });
}

function expected({ metadata, status = {} }: CapabilityPolicy): Verdict {
  if (status.observedGeneration !== metadata?.generation) return 'working';
  if (condition(status, 'Accepted')?.status === 'False') return 'failed';
  // The API server refuses a label of a namespace.
  if (condition(status, 'Ready')?.status === 'False') return 'working';
  return condition(status, 'Programmed')?.status === 'True' ? 'ready' : 'working';
}

describe('of every status', () => {
  const states = fc.sample(fc.tuple(state, state), COUNT);
  const policies = lives(states);
  const wanted = policies.map(expected);

  it('include some of each kind', () => {
    for (const verdict of Object.values(KSTATUS)) {
      assert.ok(wanted.filter((one) => one === verdict).length > 20, verdict);
    }
  });

  describeWith({ programs: { go: 'https://go.dev/dl/' } }, 'kstatus', () => {
    it('kstatus is Current if the policy is in force, Failed if the policy is not accepted, and InProgress in all other cases', function () {
      this.timeout(120_000);
      const found = kstatusOf(policies);
      assert.equal(found.length, policies.length);
      for (const [i, status] of found.entries()) assert.equal(KSTATUS[status], wanted[i], JSON.stringify(policies[i]));
    });
  });

  describeWith({ programs: { 'lua5.1': 'apt-get install lua5.1' } }, 'the health check of Argo CD', () => {
    let found: Health[];

    before(() => {
      found = healthOf(policies);
    });

    it('agrees with kstatus', () => {
      for (const [i, { status }] of found.entries()) {
        assert.equal(HEALTH[status], wanted[i], JSON.stringify(policies[i]));
      }
    });

    it('the message has the findings about a healthy policy, or the reason why a policy is not healthy', () => {
      for (const [i, { status, message }] of found.entries()) {
        const { status: reported = {} } = policies[i] as CapabilityPolicy;
        const said = (type: string) => condition(reported, type)?.message ?? '';
        const isTrue = (type: string, value: string) => condition(reported, type)?.status === value;
        assert.ok(message.length > 0);
        if (status === 'Degraded') assert.equal(message, said('Accepted'));
        if (status !== 'Healthy') continue;
        assert.ok(message.startsWith(said('Programmed')));
        assert.equal(message.includes(said('Compliant')), isTrue('Compliant', 'False'), message);
        const { progress = '', soaking = 0, blocked = 0 } = reported.rollout ?? {};
        assert.equal(message.includes(`rolled out to ${progress} namespaces`), soaking + blocked > 0, message);
        for (const finding of ['LabelConflict', 'LabelRefused', 'UseLimitExceeded']) {
          assert.ok(!isTrue(finding, 'True') || message.includes(said(finding)), message);
        }
      }
    });
  });
});
