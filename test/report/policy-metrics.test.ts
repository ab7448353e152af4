import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import type { CapabilityPolicyStatus, CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import { exportPolicies } from '../../operator/report/policy-metrics.ts';
import { pod } from '../support/pods.ts';
import { policy } from '../support/policies.ts';
import { seriesOf } from '../support/series.ts';
import { clusterOf, podView, workloadView } from '../support/views.ts';
import { tooExpensive, violating } from './fixtures.ts';

const PROGRAMMED = {
  type: 'Programmed',
  status: 'True',
  reason: 'InForce',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
  observedGeneration: 2,
} as const;

function policyWith(name: string, status: CapabilityPolicyStatus, generation = 2): CompletePolicy {
  const { metadata, ...rest } = policy(name);
  return { ...rest, metadata: { ...metadata, generation }, status };
}

function evaluatedNamespace(namespace: string, workloads: readonly WorkloadVerdict[]): [string, NamespaceVerdicts] {
  return [
    namespace,
    {
      namespace,
      modes: { Enforce: { deciding: ['ping'], workloads } },
      needs: new Map(),
    },
  ];
}

/** Two containers violate one rule, and one of the containers also violates another rule. */
const TWICE = { rule: 'capabilities', container: 'app', message: 'app', path: '' };
const BROKEN = { ping: [TWICE, { ...TWICE, container: 'log' }, { ...TWICE, rule: 'hostPorts' }] };

describe('the metrics of policies', () => {
  let policies: CompletePolicy[] = [];
  const verdicts = new Map<string, NamespaceVerdicts>();
  const shared = pod();
  const objects = clusterOf(
    [workloadView('Deployment', 'web', { template: shared })],
    [podView('a', shared), podView('b', shared), podView('c'), podView('far', { namespace: 'other' })],
  );
  const registry = new Registry();
  exportPolicies(registry, { ...objects, policies: () => policies }, verdicts);
  const series = () => seriesOf(registry, 'capabilitypolicy_');

  it('the metrics show the current policies and violations at the scrape, and no deleted policies', async () => {
    const counts = { evaluated: 8, violating: 3, unknown: 1 };
    const status = {
      conditions: [PROGRAMMED],
      namespaces: { selected: 2, deciding: 2, labelled: 0, conflicting: 2, refused: 3 },
      unusedGrants: [
        { path: 'spec.overrides.hostNetwork', since: '2026-11-02T00:00:00Z' },
        { path: 'spec.overrides.capabilities.allowedAdd', entry: 'NET_RAW', since: '2026-11-01T00:00:00Z' },
      ],
    };
    policies = [policyWith('ping', { ...status, workloads: counts }), policyWith('new', {})];
    verdicts.set(
      ...evaluatedNamespace('net', [violating('web', { violations: BROKEN }), violating('db'), tooExpensive('x')]),
    );
    verdicts.set(...evaluatedNamespace('web', []));
    assert.deepEqual(await series(), {
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="capabilities",mode="Enforce"}': 2,
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="hostPorts",mode="Enforce"}': 1,
      'capabilitypolicy_programmed{policy="ping"}': 1,
      'capabilitypolicy_programmed{policy="new"}': 0,
      'capabilitypolicy_label_conflicts{policy="ping"}': 2,
      'capabilitypolicy_label_conflicts{policy="new"}': 0,
      'capabilitypolicy_refused_labels{policy="ping"}': 3,
      'capabilitypolicy_refused_labels{policy="new"}': 0,
      'capabilitypolicy_unused_grants{policy="ping"}': 2,
      'capabilitypolicy_oldest_unused_grant_timestamp_seconds{policy="ping"}': 1793491200,
      'capabilitypolicy_workloads{policy="ping",verdict="compliant"}': 4,
      'capabilitypolicy_workloads{policy="ping",verdict="violating"}': 3,
      'capabilitypolicy_workloads{policy="ping",verdict="unknown"}': 1,
      'capabilitypolicy_status_bytes{policy="ping"}': Buffer.byteLength(JSON.stringify(policies[0]?.status)),
      'capabilitypolicy_status_bytes{policy="new"}': 2,
      capabilitypolicy_evaluated_objects: 4,
      capabilitypolicy_distinct_fingerprints: 2,
    });
    policies = [];
    verdicts.set(...evaluatedNamespace('net', [violating('db')]));
    assert.deepEqual(await series(), {
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="capabilities",mode="Enforce"}': 1,
      capabilitypolicy_evaluated_objects: 4,
      capabilitypolicy_distinct_fingerprints: 2,
    });
  });

  it('the metrics show when a policy expires', async () => {
    const { spec, ...rest } = policyWith('ping', {});
    policies = [{ ...rest, spec: { ...spec, expires: '2027-01-31T01:00:00+01:00' } }, policyWith('new', {})];
    const ends = Object.entries(await series()).filter(([name]) => name.includes('expires'));
    assert.deepEqual(ends, [['capabilitypolicy_expires_timestamp_seconds{policy="ping"}', 1801353600]]);
  });

  it('the metrics count a policy as programmed only at the current generation of the policy', async () => {
    policies = [policyWith('ping', { conditions: [PROGRAMMED] }, 3)];
    assert.equal((await series())['capabilitypolicy_programmed{policy="ping"}'], 0);
  });

  it('the metrics show how far a rollout has come, how long namespaces soak, and whether the rollout is paused', async () => {
    const of = (rollout: object, status: CapabilityPolicyStatus = {}) => {
      const made = policyWith('ping', status);
      return {
        ...made,
        spec: { ...made.spec, rollout: { meanwhile: 'Warn' as const, soak: '24h', paused: false, ...rollout } },
      };
    };
    const rollouts = async () =>
      Object.entries(await series()).filter(([name]) => name.startsWith('capabilitypolicy_rollout_'));
    policies = [of({ soak: '1h30m', paused: true }, { rollout: { enforced: 458, soaking: 40, blocked: 2 } })];
    assert.deepEqual(Object.fromEntries(await rollouts()), {
      'capabilitypolicy_rollout_namespaces{policy="ping",state="enforced"}': 458,
      'capabilitypolicy_rollout_namespaces{policy="ping",state="soaking"}': 40,
      'capabilitypolicy_rollout_namespaces{policy="ping",state="blocked"}': 2,
      'capabilitypolicy_rollout_soak_seconds{policy="ping"}': 5_400,
      'capabilitypolicy_rollout_paused{policy="ping"}': 1,
    });
    policies = [of({})];
    assert.deepEqual(Object.fromEntries(await rollouts()), {
      'capabilitypolicy_rollout_soak_seconds{policy="ping"}': 86_400,
      'capabilitypolicy_rollout_paused{policy="ping"}': 0,
    });
  });
});
