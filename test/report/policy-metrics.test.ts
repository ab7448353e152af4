import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { exportPolicies, type PolicyNumbers, type ViolatingWorkloads } from '../../operator/report/policy-metrics.ts';
import { seriesOf } from '../support/series.ts';

describe('the metrics of policies', () => {
  it('show the current policies and violations at the scrape, and no deleted ones', async () => {
    const registry = new Registry();
    let policies: PolicyNumbers[] = [
      {
        policy: 'ping',
        programmed: true,
        labelConflicts: 2,
        statusBytes: 512,
        workloads: { compliant: 5, violating: 3, unknown: 0 },
      },
      { policy: 'new', programmed: false, labelConflicts: 0, statusBytes: 2, workloads: {} },
    ];
    let violating: ViolatingWorkloads[] = [
      { policy: 'ping', namespace: 'net', rule: 'capabilities', mode: 'Enforce', workloads: 3 },
      { policy: 'ping', namespace: 'web', rule: 'hostPorts', mode: 'Enforce', workloads: 1 },
    ];
    exportPolicies(registry, {
      policies: () => policies,
      violating: () => violating,
      evaluatedObjects: () => 40,
      distinctFingerprints: () => 6,
    });
    assert.deepEqual(await seriesOf(registry, 'capabilitypolicy_'), {
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="capabilities",mode="Enforce"}': 3,
      'capabilitypolicy_violating_workloads{policy="ping",namespace="web",rule="hostPorts",mode="Enforce"}': 1,
      'capabilitypolicy_programmed{policy="ping"}': 1,
      'capabilitypolicy_programmed{policy="new"}': 0,
      'capabilitypolicy_label_conflicts{policy="ping"}': 2,
      'capabilitypolicy_label_conflicts{policy="new"}': 0,
      'capabilitypolicy_workloads{policy="ping",verdict="compliant"}': 5,
      'capabilitypolicy_workloads{policy="ping",verdict="violating"}': 3,
      'capabilitypolicy_workloads{policy="ping",verdict="unknown"}': 0,
      'capabilitypolicy_status_bytes{policy="ping"}': 512,
      'capabilitypolicy_status_bytes{policy="new"}': 2,
      capabilitypolicy_evaluated_objects: 40,
      capabilitypolicy_distinct_fingerprints: 6,
    });
    policies = [];
    violating = violating.slice(0, 1);
    assert.deepEqual(await seriesOf(registry, 'capabilitypolicy_'), {
      'capabilitypolicy_violating_workloads{policy="ping",namespace="net",rule="capabilities",mode="Enforce"}': 3,
      capabilitypolicy_evaluated_objects: 40,
      capabilitypolicy_distinct_fingerprints: 6,
    });
  });
});
