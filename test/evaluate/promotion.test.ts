/**
 * Tests the verdict about a promotion. The verdict lists the workloads that the pending policy would refuse after the
 * promotion.
 */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { Seen } from '../../operator/evaluate/members.ts';
import { evaluatingNamespace } from '../../operator/evaluate/namespace.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodView } from '../../operator/model/objects.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { resolved } from '../support/policies.ts';
import { podView } from '../support/views.ts';

const EVALUATION = { evaluator: new Evaluator(), use: createUseIndex([], []) };
const LABELS = { 'rollout.capabilitypolicy.dev/it': 'pending' };

function pod(name: string, securityContext: object = {}, rest: Partial<PodView> = {}): PodView {
  return podView(name, { namespace: 'a', spec: { containers: [{ name: 'main', securityContext }] }, ...rest });
}

interface Policies {
  readonly spec?: Partial<CapabilityPolicySpec>;
  readonly others?: readonly ResolvedPolicy[];
}

function verdict(policies: Policies, pods: readonly PodView[], seen: readonly Seen[] = []) {
  return evaluated(policies, pods, seen).promotions?.get('it');
}

function evaluated({ spec = {}, others = [] }: Policies, pods: readonly PodView[], seen: readonly Seen[] = []) {
  const [, pending] = partsOf(resolved('it', { level: 'baseline', rollout: {}, ...spec }), { begun: true });
  const cluster = { pods: () => pods, workloads: () => [], workload: () => undefined };
  const policies = [pending as ResolvedPolicy, ...others];
  return runToEnd(evaluatingNamespace({ name: 'a', labels: LABELS }, policies, cluster, EVALUATION, { seen }));
}

const FINE = pod('fine');
const SYS_TIME = { capabilities: { add: ['SYS_TIME'] } };
const CLOCK = pod('clock', SYS_TIME);
const ROOT = pod('root', { privileged: true });

describe('the verdict about a promotion', () => {
  it('the verdict counts the workloads that would be refused, and names the worst workload', () => {
    const { violating, worst } = verdict({}, [FINE, CLOCK, ROOT]) ?? assert.fail();
    assert.deepEqual([violating, worst?.name], [2, 'root']);
  });

  it('finds nothing where nothing violates', () => {
    assert.deepEqual(verdict({}, [FINE]), { violating: 0 });
  });

  it('the verdict counts a pod as compliant if an Enforce policy of the same priority admits the pod', () => {
    const exception = resolved('exception', { level: 'privileged' });
    assert.equal(verdict({ others: [exception] }, [CLOCK])?.violating, 0);
  });

  it('the verdict is empty if a policy of higher priority decides even after the promotion', () => {
    const higher = resolved('higher', { level: 'privileged', priority: 10 });
    assert.equal(verdict({ others: [higher] }, [CLOCK])?.violating, 0);
  });

  it('the verdict is about the pending policy, even if a policy of lower priority decides before the promotion', () => {
    const lower = resolved('lower', { level: 'restricted', priority: -1 });
    assert.equal(verdict({ others: [lower] }, [FINE])?.violating, 0);
    assert.equal(verdict({ others: [lower] }, [CLOCK])?.violating, 1);
  });

  it('the verdict does not depend on another policy that is also pending', () => {
    const other = resolved('other', { level: 'privileged', rollout: {} });
    const [, pending] = partsOf(other, { begun: true });
    assert.equal(verdict({ others: [pending as ResolvedPolicy] }, [CLOCK])?.violating, 1);
  });

  it('a pod that complies after defaulting counts as compliant', () => {
    const spec = { level: 'restricted', defaulting: 'Enabled' } as const;
    assert.equal(verdict({ spec }, [FINE])?.violating, 0);
    assert.equal(verdict({ spec: { level: 'restricted' } }, [FINE])?.violating, 1);
  });

  // If a pod already complies, defaulting does not change the pod.
  it('a pod that complies without defaulting counts as compliant, even if the pod would not comply after defaulting', () => {
    const overrides = { capabilities: { allowedAdd: ['CHOWN'], defaultAdd: ['CHOWN'], allowedBounding: [] } };
    const spec: Partial<CapabilityPolicySpec> = { level: 'privileged', defaulting: 'Enabled', overrides };
    const none = pod('none', { capabilities: { drop: ['ALL'] } });
    const { promotions, modes } = evaluated({ spec }, [none]);
    assert.deepEqual(promotions?.get('it'), { violating: 0 });
    assert.deepEqual(
      modes.Warn?.workloads.map((workload) => workload.verdict),
      ['Compliant'],
    );
  });

  it('the verdict says when a deleted pod violated the policy', () => {
    const seen = [FINE, CLOCK, ROOT].map((object, i) => ({ object, at: 10 + i }));
    assert.deepEqual(verdict({}, [FINE], seen), { violating: 0, violatedAt: 12 });
    assert.deepEqual(verdict({}, [FINE], seen.slice(0, 1)), { violating: 0 });
  });

  it('the verdict does not count mirror pods, because a node creates mirror pods itself', () => {
    assert.equal(verdict({}, [pod('static', { privileged: true }, { mirror: true })])?.violating, 0);
  });
});
