import assert from 'node:assert/strict';
import { migrate } from '../../analysis/migrate/migrate.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { account, binding, group, psp, type RuleFields, role, scc, user } from './objects.ts';

const RBAC = 'rbac.authorization.k8s.io';
const USE = 'capabilitypolicy.dev:use:psp';

interface Row {
  readonly rbac: readonly object[];
  readonly use: Pick<CapabilityPolicySpec, 'usableBy' | 'subjects'>;
  /** The names of the bound subjects, by the namespace of the binding. An empty key stands for all namespaces. */
  readonly bindings?: Readonly<Record<string, readonly string[]>>;
  readonly notes?: readonly RegExp[];
}

const NOBODY =
  /^no role in the input grants the use of this policy\. Until a binding to ClusterRole capabilitypolicy\.dev:use:psp grants the use/;
const all = role('all');
const named = role('named', { resourceNames: ['other', 'psp'] });
const EVERYONE = { usableBy: 'Everyone' } as const;
const BINDINGS = { usableBy: 'Bindings' } as const;

const TABLE: Readonly<Record<string, Row>> = {
  'no role at all: only holders of wildcards': { rbac: [], use: BINDINGS, notes: [NOBODY] },
  'a service account, everywhere': {
    rbac: [named, binding(named, [account('pinger', 'net')])],
    use: { usableBy: 'Subjects', subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace: 'net' }] },
  },
  'users and groups of several bindings, each once': {
    rbac: [named, all, binding(named, [user('jane'), group('ops')]), binding(all, [group('ops')])],
    use: {
      usableBy: 'Subjects',
      subjects: [
        { kind: 'Group', name: 'ops' },
        { kind: 'User', name: 'jane' },
      ],
    },
  },
  'all service accounts': { rbac: [all, binding(all, [group('system:serviceaccounts')])], use: EVERYONE },
  'all authenticated users': { rbac: [all, binding(all, [group('system:authenticated')])], use: EVERYONE },
  'all service accounts, in one namespace': {
    rbac: [all, binding(all, [group('system:serviceaccounts')], 'net')],
    use: BINDINGS,
    bindings: { net: ['system:serviceaccounts'] },
  },
  'some everywhere and some in namespaces': {
    rbac: [
      all,
      named,
      binding(all, [user('jane')]),
      binding(all, [account('a')], 'one'),
      binding(named, [account('b', 'two')], 'one'),
      binding(named, [group('g')], 'two'),
    ],
    use: BINDINGS,
    bindings: { '': ['jane'], one: ['a', 'b'], two: ['g'] },
  },
  'more than 20 subjects': {
    rbac: [
      all,
      binding(
        all,
        Array.from({ length: 21 }, (_, i) => user(`u${i}`)),
      ),
    ],
    use: BINDINGS,
    bindings: { '': Array.from({ length: 21 }, (_, i) => `u${i}`) },
  },
  'a Role of the namespace, not the ClusterRole of that name': {
    rbac: [role('local', {}, 'net'), { ...binding(role('local', {}, 'net'), [user('a')], 'net') }],
    use: BINDINGS,
    bindings: { net: ['a'] },
  },
  'a service account without a namespace, everywhere: nobody': {
    rbac: [all, binding(all, [account('pinger')])],
    use: BINDINGS,
    notes: [NOBODY],
  },
  'a binding without subjects': {
    rbac: [all, { ...binding(all, []), subjects: null }],
    use: BINDINGS,
    notes: [NOBODY],
  },
  'a binding with a missing role': {
    rbac: [binding(all, [user('a')])],
    use: BINDINGS,
    notes: [NOBODY, /^ClusterRole\/all is not in the input: add this role if it grants the verb use$/],
  },
  'wildcards that reach the new policies': {
    rbac: [...granted({ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, [group('system:masters')])],
    use: BINDINGS,
    notes: [/^system:masters: granted by wildcards, which apply to CapabilityPolicies, too\. Nothing to do$/],
  },
  'wildcards that reach the new policies, for all': {
    rbac: [...granted({ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, [group('system:serviceaccounts')])],
    use: EVERYONE,
  },
  'wildcards that do not reach them': {
    rbac: [...granted({ apiGroups: ['policy'], resources: ['*'], verbs: ['*'] }, [user('a')])],
    use: { usableBy: 'Subjects', subjects: [{ kind: 'User', name: 'a' }] },
  },
  'the former group': {
    rbac: [...granted({ apiGroups: ['extensions'] }, [user('a')])],
    use: { usableBy: 'Subjects', subjects: [{ kind: 'User', name: 'a' }] },
  },
  'another verb': { rbac: [...granted({ verbs: ['get'] }, [user('a')])], use: BINDINGS, notes: [NOBODY] },
  'another group': { rbac: [...granted({ apiGroups: [''] }, [user('a')])], use: BINDINGS, notes: [NOBODY] },
  'another resource': { rbac: [...granted({ resources: ['pods'] }, [user('a')])], use: BINDINGS, notes: [NOBODY] },
  'another name': { rbac: [...granted({ resourceNames: ['*'] }, [user('a')])], use: BINDINGS, notes: [NOBODY] },
  'rules that are aggregated': {
    rbac: [
      role('part', {}, undefined, { metadata: { name: 'part', labels: { to: 'whole' } } }),
      {
        ...role('whole'),
        rules: [],
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'whole' } }] },
      },
      binding(role('whole'), [user('a')]),
    ],
    use: { usableBy: 'Subjects', subjects: [{ kind: 'User', name: 'a' }] },
  },
};

function granted(rule: RuleFields, subjects: readonly Readonly<Record<string, unknown>>[]): object[] {
  const one = role('one', rule);
  return [one, binding(one, subjects)];
}

describe('the users of a migrated policy:', () => {
  for (const [title, row] of Object.entries(TABLE)) {
    it(title, () => {
      const { policies, rbac, notes } = migrate([psp(), ...row.rbac], { mode: 'Audit' });
      const { usableBy, subjects } = policies[0]?.spec ?? {};
      assert.deepEqual({ usableBy, ...(subjects && { subjects }) }, row.use);
      const bindings = rbac.map(({ metadata, subjects }) => [
        metadata.namespace ?? '',
        subjects.map(({ name }) => name),
      ]);
      assert.deepEqual(Object.fromEntries(bindings), row.bindings ?? {});
      assert.equal(notes.length, row.notes?.length ?? 0, JSON.stringify(notes));
      for (const [i, pattern] of (row.notes ?? []).entries()) assert.match(notes[i]?.text ?? '', pattern);
      assert.ok(notes.every(({ exact }) => exact));
    });
  }

  it('bindings refer to the role that the operator creates', () => {
    const { rbac } = migrate([psp(), all, binding(all, [account('a', 'net'), user('b')], 'net')], { mode: 'Audit' });
    assert.deepEqual(rbac, [
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name: `${USE}:migrated`, namespace: 'net' },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: USE },
        subjects: [
          { kind: 'ServiceAccount', name: 'a', namespace: 'net' },
          { kind: 'User', name: 'b', apiGroup: RBAC },
        ],
      },
    ]);
  });

  it('each of several PodSecurityPolicies has its own', () => {
    const { policies } = migrate(
      [
        psp({}, {}, 'b'),
        psp({}, {}, 'a'),
        ...granted({ resourceNames: ['a'] }, [user('jane')]),
        all,
        binding(all, [user('joe')]),
      ],
      { mode: 'Audit' },
    );
    const subjects = policies.map(({ metadata, spec }) => [metadata?.name, spec.subjects?.map(({ name }) => name)]);
    assert.deepEqual(subjects, [
      ['a', ['joe', 'jane']],
      ['b', ['joe']],
    ]);
  });

  it('users and groups of SecurityContextConstraints, and users with the right to use SecurityContextConstraints, may use the policy', () => {
    const sccs = { apiGroups: ['security.openshift.io'], resources: ['securitycontextconstraints'] };
    const { policies, origins } = migrate(
      [scc({ users: ['system:serviceaccount:net:pinger', 'jane'], groups: ['ops'] }), ...granted(sccs, [user('joe')])],
      { mode: 'Audit' },
    );
    assert.deepEqual(policies[0]?.spec.subjects, [
      { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' },
      { kind: 'User', name: 'jane' },
      { kind: 'Group', name: 'ops' },
      { kind: 'User', name: 'joe' },
    ]);
    assert.equal(origins.scc?.['spec.subjects[0]'], 'SecurityContextConstraints/scc users[0]');
    assert.equal(origins.scc?.['spec.subjects[3]'], 'ClusterRoleBinding/to-one → ClusterRole/one');
  });
});

describe('more policies with restricted use than an API server asks about', () => {
  const asked = (count: number) => {
    const sources = Array.from({ length: count }, (_, i) => psp({}, {}, `psp-${String.fromCharCode(97 + i)}`));
    return migrate([...sources, all, binding(all, [user('jane')])], { mode: 'Audit' }).notes;
  };

  it('are reported', () => {
    const notes = asked(12);
    assert.deepEqual(
      notes.map(({ object, exact }) => [object, exact]),
      [
        ['CapabilityPolicy/psp-k', false],
        ['CapabilityPolicy/psp-l', false],
      ],
    );
    assert.match(
      notes[0]?.text ?? '',
      /^the right to use this policy may not be checked: .* at most 10 policies .*Narrow namespaceSelector/,
    );
  });

  it('no note is made if an API server asks about all policies', () => assert.deepEqual(asked(10), []));
});

describe('names of migrated policies', () => {
  const long = (last: string) => `${'n'.repeat(70)}${last}`;

  it('the names are the names of the PodSecurityPolicies, with at most 63 characters', () => {
    const { policies, notes } = migrate([psp({}, {}, long('a')), psp({}, {}, 'eks.privileged')], { mode: 'Audit' });
    const [first = '', second = ''] = policies.map(({ metadata }) => metadata?.name ?? '');
    assert.equal(first, 'eks.privileged');
    assert.match(second, /^n{54}-[0-9a-f]{8}$/);
    assert.match(
      notes.at(-1)?.text ?? '',
      /^the policy gets the name n+-[0-9a-f]{8}, since names have at most 63 characters$/,
    );
    assert.equal(notes.at(-1)?.exact, true);
  });

  it('users keep the right to use a policy with a shortened name, even if wildcards granted the right', () => {
    const name = long('a');
    const wildcards = { apiGroups: ['*'], resources: ['*'], resourceNames: [name], verbs: ['*'] };
    const { policies } = migrate([psp({}, {}, name), ...granted(wildcards, [user('a')])], { mode: 'Audit' });
    assert.deepEqual(policies[0]?.spec.subjects, [{ kind: 'User', name: 'a' }]);
  });

  it('if shortened names change the order of the policies, a note reports the change', () => {
    const alike = ['a', 'b', 'c', 'd', 'e', 'f'].map(long);
    const { policies, notes } = migrate(
      alike.map((name) => psp({}, {}, name)),
      { mode: 'Audit' },
    );
    const names = policies.map(({ metadata }) => metadata?.name ?? '');
    assert.deepEqual(names, names.toSorted());
    assert.ok(
      notes.filter(({ field, value }) => field === 'metadata.name' && value !== undefined).some(({ exact }) => !exact),
    );
  });
});
