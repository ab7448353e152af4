/** Tests a role with an aggregationRule. The role gets the rules of the ClusterRoles that its selectors select. */
import assert from 'node:assert/strict';
import { dump } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { writtenPolicy } from '../support/policies.ts';

const RBAC = 'rbac.authorization.k8s.io';
const MANUAL = writtenPolicy('manual', { level: 'privileged', usableBy: 'Bindings' });
const USE = [
  { apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], resourceNames: ['manual'], verbs: ['use'] },
];

const clusterRole = (name: string, labels: object, rest: object = {}) => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'ClusterRole',
  metadata: { name, labels },
  ...rest,
});

const aggregating = (name: string, selectors: readonly object[], labels: object = {}) =>
  clusterRole(name, labels, { aggregationRule: { clusterRoleSelectors: selectors }, rules: [] });

const bindingTo = (name: string) => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'RoleBinding',
  metadata: { name: 'binding', namespace: 'default' },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
  subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace: 'default' }],
});

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    template: { spec: { serviceAccountName: 'worker', hostNetwork: true, containers: [{ name: 'a', image: 'a' }] } },
  },
};

async function mayUse(...roles: readonly object[]): Promise<boolean> {
  const text = [MANUAL, ...roles, DEPLOYMENT].map((one) => dump(one, { noRefs: true })).join('---\n');
  const { code, stdout, stderr } = await cappol(['check', '-f', '-', '-o', 'json'], text);
  assert.equal(stderr, '');
  const { verdict, violations } = JSON.parse(stdout).items[0];
  if (verdict === 'Violating') assert.deepEqual([code, violations[0].rule], [1, 'use']);
  else assert.deepEqual([code, verdict], [0, 'Compliant']);
  return verdict === 'Compliant';
}

const PART = clusterRole('part', { team: 'net' }, { rules: USE });

describe('a role or binding without a namespace', () => {
  const role = { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: { name: 'local' }, rules: USE };
  const { metadata: _, ...rest } = bindingTo('part');
  const binding = { ...rest, metadata: { name: 'binding' } };
  const local = { ...binding, roleRef: { apiGroup: RBAC, kind: 'Role', name: 'local' } };
  const subjects = [{ kind: 'ServiceAccount', name: 'worker', namespace: 'default' }];

  for (const [what, objects] of [
    ['ClusterRole', [PART, { ...binding, subjects }]],
    ['Role', [role, { ...local, subjects }]],
  ] as const) {
    it(`is in the namespace of -n, with a ${what}`, async () => {
      assert.equal(await mayUse(...objects), true);
      const { metadata, ...deployment } = DEPLOYMENT;
      const placed = { ...deployment, metadata: { ...metadata, namespace: 'other' } };
      const own = [{ kind: 'ServiceAccount', name: 'worker', namespace: 'other' }];
      const inOther = objects.map((one) => ('subjects' in one ? { ...one, subjects: own } : one));
      const text = [MANUAL, ...inOther, placed].map((one) => dump(one, { noRefs: true })).join('---\n');
      assert.equal((await cappol(['check', '-f', '-'], text)).code, 1);
      assert.equal((await cappol(['check', '-f', '-', '-n', 'other'], text)).code, 0);
    });
  }
});

describe('an aggregated role', () => {
  it('an aggregated role has the rules of the roles that it selects, in any order of the manifests', async () => {
    const role = aggregating('whole', [{ matchLabels: { team: 'net' } }]);
    assert.equal(await mayUse(role, PART, bindingTo('whole')), true);
    assert.equal(await mayUse(bindingTo('whole'), PART, role), true);
  });

  it('has no others', async () => {
    assert.equal(
      await mayUse(aggregating('whole', [{ matchLabels: { team: 'db' } }]), PART, bindingTo('whole')),
      false,
    );
    assert.equal(await mayUse(aggregating('whole', []), PART, bindingTo('whole')), false);
    assert.equal(await mayUse(aggregating('whole', [{ matchLabels: { team: 'net' } }]), bindingTo('whole')), false);
  });

  it('an aggregated role keeps its own rules if the selected roles have no rules; if they have rules, a controller overwrites the rules of the role', async () => {
    const stating = { ...aggregating('whole', [{ matchLabels: { team: 'db' } }]), rules: USE };
    const others = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    const other = clusterRole('other', { team: 'db' }, { rules: others });
    assert.equal(await mayUse(stating, bindingTo('whole')), true);
    assert.equal(await mayUse(stating, other, bindingTo('whole')), false);
    assert.equal(await mayUse(stating, { ...other, rules: [] }, bindingTo('whole')), true);
  });

  it('an aggregated role selects by several selectors and by expressions, and an empty selector selects all roles', async () => {
    const several = [
      { matchLabels: { team: 'db' } },
      { matchExpressions: [{ key: 'team', operator: 'In', values: ['net'] }] },
    ];
    assert.equal(await mayUse(aggregating('whole', several), PART, bindingTo('whole')), true);
    assert.equal(await mayUse(aggregating('whole', [{}]), PART, bindingTo('whole')), true);
  });

  it('an aggregated role has the rules of the aggregated roles that it selects, even if roles select each other', async () => {
    const inner = aggregating('inner', [{ matchLabels: { team: 'net' } }], { in: 'outer' });
    const outer = aggregating('outer', [{ matchLabels: { in: 'outer' } }], { team: 'net' });
    assert.equal(await mayUse(outer, inner, PART, bindingTo('outer')), true);
    assert.equal(await mayUse(outer, inner, bindingTo('outer')), false);
  });

  for (const [bound, label, expected] of [
    ['view', 'view', true],
    ['edit', 'view', true],
    ['admin', 'view', true],
    ['edit', 'edit', true],
    ['admin', 'edit', true],
    ['view', 'edit', false],
    ['edit', 'admin', false],
    ['cluster-admin', 'admin', false],
  ] as const) {
    it(`of every cluster: ${bound} ${expected ? 'has' : 'lacks'} a role with the label aggregate-to-${label}`, async () => {
      const part = clusterRole('part', { [`${RBAC}/aggregate-to-${label}`]: 'true' }, { rules: USE });
      assert.equal(await mayUse(part, bindingTo(bound)), expected);
    });
  }
});
