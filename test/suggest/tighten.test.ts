/** Tests tightened policies. A tightened policy lacks the grants that no workload needs. */
import assert from 'node:assert/strict';
import { mergePatch, tightenedPolicies } from '../../analysis/suggest/tighten.ts';
import { patchText, reportText, yamlText } from '../../cli/commands/suggest/tighten-text.ts';
import type {
  CapabilityPolicySpec,
  CapabilityPolicyStatus,
  CompletePolicy,
} from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster, PodView } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { clusterOf, ownedBy, podView, wholeCluster } from '../support/views.ts';

type Spec = Partial<CapabilityPolicySpec>;

function tighten(policies: readonly CompletePolicy[], pods: readonly PodView[], namespaces = ['net', 'web']) {
  const views = namespaces.map((name) => ({ name, uid: name, terminating: false, labels: {}, labelOwners: {} }));
  const stateOf = (cluster: Cluster) => {
    const state = new PolicyState(cluster, {
      operatorNamespace: 'operator',
      excludedNamespaces: [],
      now: () => Date.now(),
    });
    state.accept();
    return state;
  };
  const cluster = wholeCluster(clusterOf([], pods), policies, views);
  return tightenedPolicies({ cluster, state: stateOf(cluster), evaluator: new Evaluator(), stateOf });
}

const caps = (...allowedAdd: string[]): Spec => ({ overrides: { capabilities: { allowedAdd } } });
const raw = podView('ping', { ...adding(['NET_RAW']), ...ownedBy('ReplicaSet', 'ping-1') });

describe('a tightened policy', () => {
  it('keeps the entries that some workload needs', () => {
    const [one, ...others] = tighten([baselinePolicy('base', caps('NET_RAW', 'SYS_TIME'))], [raw]);
    assert.deepEqual(others, []);
    assert.deepEqual(one, {
      policy: 'base',
      unused: false,
      removes: [{ path: 'spec.overrides.capabilities.allowedAdd', entry: 'SYS_TIME' }],
      patch: { spec: { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } } },
      manifest: {
        apiVersion: 'capabilitypolicy.dev/v1alpha1',
        kind: 'CapabilityPolicy',
        metadata: { name: 'base' },
        spec: { level: 'baseline', namespaceSelector: {}, ...caps('NET_RAW') },
      },
    });
  });

  const ROWS: Readonly<Record<string, readonly [spec: Spec, patch: object | undefined]>> = {
    'loses values': [{ overrides: { hostNetwork: true, hostPID: false } }, { overrides: { hostNetwork: null } }],
    'loses fields of overrides, and the whole override with its last field': [
      { overrides: { seccomp: { types: ['Unconfined', 'RuntimeDefault'], unset: 'Allowed' } } },
      { overrides: { seccomp: { types: ['RuntimeDefault'] } } },
    ],
    'loses entries of containers': [
      {
        containers: [
          { names: ['a'], overrides: { hostProcess: true } },
          { names: ['b'], overrides: { readOnlyRootFilesystem: true } },
        ],
      },
      { containers: [{ names: ['b'], overrides: { readOnlyRootFilesystem: true } }] },
    ],
    'keeps an entry of containers that also restricts its containers': [
      { containers: [{ names: ['a'], overrides: { hostProcess: true, readOnlyRootFilesystem: true } }] },
      { containers: [{ names: ['a'], overrides: { readOnlyRootFilesystem: true } }] },
    ],
    'keeps the end of the list of capabilities for a container': [
      { containers: [{ names: ['a'], ...caps('NET_RAW') }] },
      { containers: [{ names: ['a'], ...caps() }] },
    ],
    'keeps a list that the API server does not let be empty': [
      {
        level: 'privileged',
        overrides: {
          runAsUser: {
            rule: 'MustRunAs',
            ranges: [
              { min: 1, max: 2 },
              { min: 5, max: 6 },
            ],
          },
        },
      },
      { overrides: { runAsUser: { ranges: [{ min: 5, max: 6 }] } } },
    ],
    'keeps what only tightens': [{ overrides: { hostPID: false, readOnlyRootFilesystem: true } }, undefined],
  };
  for (const [title, [spec, patch]] of Object.entries(ROWS)) {
    it(title, () => {
      const [one] = tighten([baselinePolicy('base', spec)], [podView('web')]);
      assert.deepEqual(one?.patch?.spec, patch);
    });
  }

  it('says since when, if the status does', () => {
    const since = '2026-11-01T00:00:00Z';
    const listed = { path: 'spec.overrides.hostIPC', since };
    const policy = { ...baselinePolicy('base', { overrides: { hostIPC: true } }), status: statusWith([listed]) };
    assert.deepEqual(tighten([policy], [podView('web')])[0]?.removes, [listed]);
  });

  function statusWith(unusedGrants: NonNullable<CapabilityPolicyStatus['unusedGrants']>): CapabilityPolicyStatus {
    return { unusedGrants };
  }

  it('no tightened policy is suggested if no workload runs, or if the last edit is refused', () => {
    assert.deepEqual(tighten([baselinePolicy('base', caps('NET_RAW'))], []), []);
    assert.deepEqual(
      tighten([baselinePolicy('base', { ...caps('NET_RAW'), levelVersion: 'v1.99' })], [podView('web')]),
      [],
    );
  });

  it('an exception that no workload needs is reported as unused', () => {
    const [one] = tighten([baselinePolicy('base'), baselinePolicy('ping', caps('NET_RAW'))], [podView('web')]);
    assert.deepEqual([one?.policy, one?.unused], ['ping', true]);
  });

  it('if each of two exceptions is enough for a workload, neither exception loses subjects', () => {
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: 'net' } as const];
    const other = { kind: 'ServiceAccount', name: 'other', namespace: 'net' } as const;
    const exception = (name: string) =>
      baselinePolicy(name, { ...caps('NET_RAW'), usableBy: 'Subjects', subjects: [...subjects, other] });
    const found = tighten([baselinePolicy('base'), exception('a'), exception('b')], [raw]);
    assert.deepEqual(
      found.map(({ policy, unused, removes }) => [policy, unused, removes.map(({ entry }) => entry)]),
      // Either exception can be deleted if the other exception remains.
      [['a', true, []]],
    );
  });
});

describe('the text of tightened policies', () => {
  const found = tighten(
    [
      baselinePolicy('base'),
      baselinePolicy('ping', caps('NET_RAW', 'SYS_TIME')),
      baselinePolicy('twin', { overrides: { hostIPC: true } }),
    ],
    [raw],
  );

  it('as commands', () => {
    assert.equal(
      patchText(found),
      `# ping: no workload needs spec.overrides.capabilities.allowedAdd: SYS_TIME
kubectl patch capabilitypolicies ping --type=merge -p '{"spec":{"overrides":{"capabilities":{"allowedAdd":["NET_RAW"]}}}}'

# twin: no workload needs this exception; kubectl delete capabilitypolicies twin removes it
# twin: no workload needs spec.overrides.hostIPC
kubectl patch capabilitypolicies twin --type=merge -p '{"spec":{"overrides":{"hostIPC":null}}}'
`,
    );
  });

  it('as manifests', () => {
    assert.match(
      yamlText(found),
      /^# ping: .*\napiVersion: .*\nkind: CapabilityPolicy\nmetadata:\n {2}name: ping\nspec:\n/,
    );
  });

  it('as a report', () => {
    assert.match(
      reportText(found),
      /^ping: no workload needs spec\.overrides\.capabilities\.allowedAdd: SYS_TIME\n\ntwin: /,
    );
  });
});

describe('a merge patch', () => {
  it('a merge patch removes, changes and adds fields, and replaces lists', () => {
    const before = { a: 1, b: { c: [1], d: 2 }, e: { f: 1 } };
    assert.deepEqual(mergePatch(before, { b: { c: [], d: 2 }, e: { f: 1 }, g: 3 }), { a: null, b: { c: [] }, g: 3 });
  });
});
