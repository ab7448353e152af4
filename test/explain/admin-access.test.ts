/**
 * Tests the list of namespaces with the label for admin access to devices. For each namespace, the list has the
 * policies that guard the label.
 */
import assert from 'node:assert/strict';
import { type AdminAccess, adminAccessIn } from '../../analysis/explain/admin-access.ts';
import { topicOf } from '../../analysis/explain/topic.ts';
import { labelledText } from '../../cli/commands/explain/admin-access-text.ts';
import { PLAIN } from '../../cli/output/terminal.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { policy } from '../support/policies.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';

const KEY = 'resource.kubernetes.io/admin-access';
const OLD_KEY = 'resource.k8s.io/admin-access';
const GUARDED = { mode: 'Enforce', adminAccessLabel: 'Guarded' } as const;

type Labels = Readonly<Record<string, string>>;

function accessIn(labels: Labels, policies: readonly CompletePolicy[], name = 'net'): AdminAccess {
  const views = [{ name, uid: 'u', terminating: false, labels, labelOwners: {} }];
  const cluster = wholeCluster(clusterOf([], []), policies, views);
  const state = new PolicyState(cluster, {
    operatorNamespace: 'operator',
    excludedNamespaces: ['kube-system'],
    now: () => Date.parse('2026-11-01T00:00:00Z'),
    stages: () => new Map([['it', { begun: true }]]),
  });
  state.accept();
  return adminAccessIn(views, state);
}

const it5 = (spec: Partial<CapabilityPolicySpec>) => [policy('it', spec)];
const above = policy('above', { mode: 'Enforce', priority: 9 });

describe('explain adminAccess: the policies that guard the label', () => {
  const ROWS: Readonly<
    Record<string, readonly [labels: Labels, policies: readonly CompletePolicy[], guards: string[]]>
  > = {
    'a policy of mode Enforce': [{}, it5(GUARDED), ['it']],
    'a policy that another one overrides': [{}, [...it5(GUARDED), above], ['it']],
    'none: Unguarded': [{}, it5({ ...GUARDED, adminAccessLabel: 'Unguarded' }), []],
    'none: no field': [{}, it5({ mode: 'Enforce' }), []],
    'none: mode Warn': [{}, it5({ ...GUARDED, mode: 'Warn' }), []],
    'none: it has expired': [{}, it5({ ...GUARDED, expires: '2026-01-01T00:00:00Z' }), []],
    'none: it selects other namespaces': [{}, it5({ ...GUARDED, namespaceSelector: { matchLabels: { a: 'b' } } }), []],
    'none: it is pending': [{ [rolloutLabel('it')]: 'pending' }, it5({ ...GUARDED, rollout: {} }), []],
    'a policy that has been rolled out there': [{}, it5({ ...GUARDED, rollout: {} }), ['it']],
  };
  for (const [title, [labels, policies, guards]] of Object.entries(ROWS)) {
    it(title, () => {
      assert.deepEqual(
        accessIn(labels, policies).guards,
        guards.map((one) => ({ policy: one, namespaces: 1 })),
      );
      const [labelled] = accessIn({ ...labels, [KEY]: 'true' }, policies).namespaces;
      assert.deepEqual(labelled, { namespace: 'net', granted: true, guardedBy: guards });
    });
  }

  it('none in an excluded namespace', () => {
    assert.deepEqual(accessIn({}, it5(GUARDED), 'kube-system').guards, []);
  });

  it('none in a cluster without the CRD', () => {
    const views = [{ name: 'net', uid: 'u', terminating: false, labels: { [KEY]: 'true' }, labelOwners: {} }];
    assert.deepEqual(adminAccessIn(views, undefined), {
      namespaces: [{ namespace: 'net', granted: true, guardedBy: [] }],
      guards: [],
    });
  });
});

describe('explain adminAccess: the namespaces', () => {
  for (const [title, labels, granted] of [
    ['true', { [KEY]: 'true' }, true],
    ['the key of Kubernetes 1.33', { [OLD_KEY]: 'true' }, true],
    ['another value', { [KEY]: 'True' }, false],
  ] as const) {
    it(`with ${title}: ${granted ? 'granted' : 'not granted'}`, () => {
      assert.deepEqual(accessIn(labels, []).namespaces, [{ namespace: 'net', granted, guardedBy: [] }]);
    });
  }

  it('without the label are left out', () => {
    assert.deepEqual(accessIn({ team: 'net' }, []), { namespaces: [], guards: [] });
  });

  it('the namespaces are in a table, below the policies that guard the label', () => {
    const topic = { kind: 'NamespaceLabel', name: KEY, found: [] } as const;
    const access = accessIn({ [KEY]: 'true' }, it5(GUARDED));
    assert.equal(
      labelledText({ ...topic, ...access }, 'all namespaces', PLAIN),
      `${KEY}: set on 1 namespace in all namespaces, 1 with admin access
guarded by it in 1 namespace

NAMESPACE   ADMIN ACCESS   GUARDED BY
net         granted        it
`,
    );
    assert.equal(
      labelledText({ ...topic, ...accessIn({}, []) }, 'namespace net', PLAIN),
      `${KEY}: no namespace in namespace net has the label
no policy guards the label in namespace net: write adminAccessLabel: Guarded
`,
    );
  });
});

describe('the names of the label', () => {
  for (const name of ['adminAccess', 'ADMINACCESS', 'admin-access', 'adminAccessLabel', KEY, OLD_KEY]) {
    it(`${name} is found`, () => {
      assert.deepEqual(topicOf(name), { kind: 'NamespaceLabel', name: KEY });
    });
  }
});
