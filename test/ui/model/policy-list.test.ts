import assert from 'node:assert/strict';
import fc from 'fast-check';
import { snapshotOf } from '../../../cli/commands/snapshot/run.ts';
import { statusView } from '../../../cli/commands/status/view.ts';
import { acceptedStateOf } from '../../../cli/live.ts';
import type { Condition } from '../../../operator/api/capability-policy.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { exceptions } from '../../../ui/model/exceptions.ts';
import { isInState, NOT_READY, policyRows, shownConditions } from '../../../ui/model/policy-list.ts';
import { arbitraryCluster } from '../../snapshot/clusters.ts';
import { policy } from '../../support/policies.ts';
import { ALL_RIGHTS, TAKING } from '../../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../../support/views.ts';

function condition(type: string, status: Condition['status'], message = ''): Condition {
  return { type, status, reason: 'Reason', message, lastTransitionTime: '1970-01-01T00:00:00Z' as never };
}

describe('the list of policies', () => {
  it('the list has the numbers of `cappol status`, for random clusters', () => {
    let counted = 0;
    fc.assert(
      fc.property(arbitraryCluster, (cluster) => {
        const rows = policyRows(snapshotOf(cluster, ALL_RIGHTS, TAKING));
        const state = acceptedStateOf(cluster, ALL_RIGHTS, TAKING);
        const protection = { status: 'Unknown', message: '' } as const;
        const status = statusView({ cluster, state, protection, ...ALL_RIGHTS }, new Evaluator());
        assert.deepEqual(
          rows.map(({ policy, namespaces, workloads }) => ({
            name: policy.name,
            deciding: namespaces.deciding,
            violating: workloads.violating,
            unknown: workloads.unknown,
            evaluated: workloads.evaluated,
          })),
          status.policies.map(({ name, namespaces, workloads }) => ({
            name,
            deciding: namespaces.deciding,
            violating: workloads.violating,
            unknown: workloads.unknown,
            evaluated: workloads.evaluated,
          })),
        );
        counted += rows.reduce((sum, { workloads }) => sum + workloads.violating, 0);
      }),
      { seed: 7, numRuns: 30 },
    );
    assert.ok(counted > 10, `${counted}`);
  });

  const STATES: readonly [conditions: Condition[], spec: object, word: string][] = [
    [[], {}, 'Not seen by an operator'],
    [[condition('Accepted', 'True'), condition('Ready', 'True')], {}, 'In force'],
    [[condition('Accepted', 'True'), condition('Ready', 'False')], {}, 'Not in force'],
    [[condition('Accepted', 'False', 'spec: wrong'), condition('Ready', 'False')], {}, 'Not accepted'],
    [[condition('Ready', 'False'), condition('Reconciling', 'True')], {}, 'Coming into force'],
    [[condition('Ready', 'True')], { expires: '1969-12-31T00:00:00Z' }, 'Expired'],
  ];
  for (const [conditions, spec, word] of STATES) {
    it(`says "${word}" of a policy with ${conditions.map(({ type, status }) => `${type}=${status}`)}`, () => {
      const one = { ...policy('one', spec), status: { observedGeneration: 1, conditions } };
      const [row] = policyRows(snapshotOf(wholeCluster(clusterOf([], []), [one], []), ALL_RIGHTS, TAKING));
      assert.equal(row?.state.word, word);
    });
  }

  it('the filter finds policies that are not Ready for any reason, and policies in a given state', () => {
    const named = (name: string, conditions: Condition[]) => ({ ...policy(name), status: { conditions } });
    const all = [
      named('a', []),
      named('b', [condition('Ready', 'True')]),
      named('c', [condition('Accepted', 'False'), condition('Ready', 'False')]),
    ];
    const rows = policyRows(snapshotOf(wholeCluster(clusterOf([], []), all, []), ALL_RIGHTS, TAKING));
    const names = (state: string) => rows.filter((row) => isInState(row, state)).map((row) => row.policy.name);
    assert.deepEqual(names(NOT_READY), ['a', 'c']);
    assert.deepEqual(names('In force'), ['b']);
    assert.deepEqual(names(''), ['a', 'b', 'c']);
  });

  it('an edited policy is shown as coming into force until the operator has seen the edit', () => {
    const one = { ...policy('one'), status: { observedGeneration: 0, conditions: [condition('Ready', 'True')] } };
    const [row] = policyRows(snapshotOf(wholeCluster(clusterOf([], []), [one], []), ALL_RIGHTS, TAKING));
    assert.equal(row?.state.word, 'Coming into force');
  });

  it('the list shows the summary of the conditions first, and marks conditions that report a problem', () => {
    const shown = shownConditions([
      condition('Protected', 'False'),
      condition('Accepted', 'True'),
      condition('New', 'False'),
      condition('Stalled', 'True'),
      condition('Compliant', 'Unknown'),
      condition('Ready', 'False'),
    ]);
    assert.deepEqual(
      shown.map(({ type, tone }) => [type, tone]),
      [
        ['Ready', 'critical'],
        ['Stalled', 'critical'],
        ['Accepted', 'good'],
        ['Compliant', 'unknown'],
        ['Protected', 'warning'],
        ['New', 'good'],
      ],
    );
  });
});

describe('the exceptions of a policy in words', () => {
  const ROWS: readonly [overrides: Parameters<typeof exceptions>[0], words: string[]][] = [
    [{}, []],
    [{ overrides: { capabilities: { allowedAdd: ['NET_RAW', 'CHOWN'] } } }, ['may add NET_RAW, CHOWN']],
    [
      { overrides: { capabilities: { allowedAdd: ['*'], requiredDrop: [] } } },
      ['may add any capability', 'need not drop capabilities'],
    ],
    [{ overrides: { hostNetwork: true, privileged: false } }, ["may use the node's network", 'must not be privileged']],
    [{ overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 9 }] } } }, ['runAsUser MustRunAs 1–9']],
    [{ overrides: { seccomp: { unset: 'Allowed' } } }, ['seccomp.unset Allowed']],
    [
      { containers: [{ names: ['istio-init'], overrides: { runAsNonRoot: false } }] },
      ['container istio-init: may run as root'],
    ],
  ];
  for (const [spec, words] of ROWS)
    it(`${JSON.stringify(spec)}: ${words.join('; ') || 'none'}`, () => assert.deepEqual(exceptions(spec), words));
});
