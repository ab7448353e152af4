import assert from 'node:assert/strict';
import { useRoleName } from '../../operator/compile/rbac.ts';
import {
  controllerUser,
  coversControllers,
  createUseIndex,
  serviceAccountUser,
  type User,
} from '../../operator/evaluate/use.ts';
import type { PolicyRule, RbacSubject, RoleBindingView } from '../../operator/model/objects.ts';
import { binding, useRole } from '../support/views.ts';

const PINGER: RbacSubject = { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' };
const pinger = serviceAccountUser('net', 'pinger');
const ROLE = useRoleName('ping');

describe('the right to use a policy', () => {
  describe('a role grants it', () => {
    const rules: [string, Partial<PolicyRule>, boolean][] = [
      ['by name', {}, true],
      ['without names', { resourceNames: undefined }, true],
      ['with an empty list of names', { resourceNames: [] }, true],
      ['by wildcards', { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: undefined }, true],
      ['not by another name', { resourceNames: ['other'] }, false],
      ['not by another verb', { verbs: ['get'] }, false],
      ['not in another API group', { apiGroups: ['policy'] }, false],
      ['not on another resource', { resources: ['capabilitypolicies/status'] }, false],
    ];
    for (const [name, rule, expected] of rules) {
      it(name, () => {
        const use = createUseIndex([useRole('ping', rule)], [binding(ROLE, PINGER)]);
        assert.equal(use.mayUse(pinger, 'net', 'ping'), expected);
      });
    }
  });

  describe('a subject is reached', () => {
    const subjects: [string, RbacSubject, User, boolean][] = [
      ['as a service account', PINGER, pinger, true],
      ['as the user name of a service account', { kind: 'User', name: pinger.name }, pinger, true],
      ['by all service accounts', { kind: 'Group', name: 'system:serviceaccounts' }, pinger, true],
      ['by those of its namespace', { kind: 'Group', name: 'system:serviceaccounts:net' }, pinger, true],
      ['not by those of another', { kind: 'Group', name: 'system:serviceaccounts:web' }, pinger, false],
      ['not in another namespace', { ...PINGER, namespace: 'web' }, pinger, false],
      ['not without any namespace', { kind: 'ServiceAccount', name: 'pinger' }, pinger, false],
      // The CEL function authorizer.serviceAccount does not add the group system:authenticated.
      ['as a pod, which has not logged in', { kind: 'Group', name: 'system:authenticated' }, pinger, false],
      [
        'as a controller, which has',
        { kind: 'Group', name: 'system:authenticated' },
        controllerUser('replicaset-controller'),
        true,
      ],
      ['as a person', { kind: 'User', name: 'ada' }, { name: 'ada', groups: [] }, true],
      ['not by a group of the same name', { kind: 'Group', name: 'ada' }, { name: 'ada', groups: [] }, false],
    ];
    for (const [name, subject, user, expected] of subjects) {
      it(name, () => {
        const use = createUseIndex([useRole('ping')], [binding(ROLE, subject)]);
        assert.equal(use.mayUse(user, 'net', 'ping'), expected);
      });
    }
  });

  describe('a binding holds', () => {
    it('a ClusterRoleBinding holds everywhere, and a RoleBinding holds in its namespace', () => {
      const cluster = createUseIndex([useRole('ping')], [binding(ROLE, PINGER)]);
      const local = createUseIndex([useRole('ping')], [binding(ROLE, PINGER, 'net')]);
      assert.deepEqual(
        ['net', 'web'].map((namespace) => [
          cluster.mayUse(pinger, namespace, 'ping'),
          local.mayUse(pinger, namespace, 'ping'),
        ]),
        [
          [true, true],
          [true, false],
        ],
      );
    });

    it('a subject without a namespace is a service account in the namespace of the binding', () => {
      const use = createUseIndex([useRole('ping')], [binding(ROLE, { kind: 'ServiceAccount', name: 'pinger' }, 'net')]);
      assert.equal(use.mayUse(pinger, 'net', 'ping'), true);
    });

    it('a binding to a Role holds only if the Role is in the same namespace', () => {
      const role = { ...useRole('ping'), name: 'local' };
      const bound = (namespace: string): RoleBindingView => ({
        namespace,
        name: 'local',
        role: { kind: 'Role', name: 'local' },
        subjects: [PINGER],
      });
      const use = createUseIndex([{ ...role, namespace: 'net' }], [bound('net'), bound('web')]);
      assert.equal(use.mayUse(pinger, 'net', 'ping'), true);
      assert.equal(use.mayUse(pinger, 'web', 'ping'), false);
    });

    it('a binding holds only if the role exists, and a role without a binding grants nothing', () => {
      assert.equal(createUseIndex([], [binding(ROLE, PINGER)]).mayUse(pinger, 'net', 'ping'), false);
      assert.equal(createUseIndex([useRole('ping')], []).mayUse(pinger, 'net', 'ping'), false);
    });
  });

  it('the index names rights by wildcard, and rights that cover the built-in controllers', () => {
    const admin = {
      name: 'cluster-admin',
      rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    };
    const everybody: RbacSubject = { kind: 'Group', name: 'system:serviceaccounts' };
    const use = createUseIndex(
      [admin, useRole('ping')],
      [
        binding(ROLE, everybody, 'net'),
        binding(ROLE, PINGER),
        binding('cluster-admin', { kind: 'User', name: 'ada' }),
        binding('cluster-admin', { kind: 'User', name: 'ada' }),
      ],
    );
    assert.deepEqual(use.holders('ping'), [
      { subject: everybody, namespace: 'net', everybody: true },
      { subject: PINGER },
    ]);
    assert.deepEqual(use.holdersOfAll(), [{ subject: { kind: 'User', name: 'ada' }, wildcard: true }]);
  });

  it('the index knows which bindings to a policy are older than the policy', () => {
    const made = (created: string, fields: Partial<RoleBindingView>) => ({
      ...binding(ROLE, PINGER),
      created,
      ...fields,
    });
    const use = createUseIndex(
      [
        useRole('ping'),
        useRole('web'),
        { name: 'admin', rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] },
      ],
      [
        made('2026-01-01T00:00:00Z', { name: 'old', namespace: 'net' }),
        made('2026-01-01T00:00:00Z', { name: 'everywhere' }),
        made('2026-01-02T00:00:00Z', { name: 'at-once' }),
        made('2026-01-03T00:00:00Z', { name: 'new' }),
        made('2026-01-01T00:00:00Z', { name: 'other', role: { kind: 'ClusterRole', name: useRoleName('web') } }),
        made('2026-01-01T00:00:00Z', { name: 'wildcard', role: { kind: 'ClusterRole', name: 'admin' } }),
      ],
    );
    assert.deepEqual(use.olderBindings('ping', '2026-01-02T00:00:00Z'), [
      { name: 'everywhere' },
      { namespace: 'net', name: 'old' },
    ]);
  });

  it('the index lists the users of one policy, and separately the users of all policies', () => {
    const everybody: RbacSubject = { kind: 'Group', name: 'system:authenticated' };
    const use = createUseIndex(
      [
        useRole('ping'),
        useRole('web'),
        { name: 'admin', rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] },
        {
          name: 'all',
          rules: [{ verbs: ['use'], apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'] }],
        },
      ],
      [
        binding(ROLE, PINGER, 'net'),
        binding(ROLE, everybody),
        binding('capabilitypolicy.dev:use:web', { kind: 'User', name: 'bob' }),
        binding('admin', { kind: 'User', name: 'ada' }),
        binding('all', PINGER),
      ],
    );
    assert.deepEqual(use.holders('ping'), [
      { subject: everybody, everybody: true },
      { subject: PINGER, namespace: 'net' },
    ]);
    assert.deepEqual(use.holdersOfAll(), [
      { subject: PINGER },
      { subject: { kind: 'User', name: 'ada' }, wildcard: true },
    ]);
  });

  describe('covers the built-in controllers', () => {
    const subjects: [RbacSubject, boolean][] = [
      [{ kind: 'Group', name: 'system:serviceaccounts' }, true],
      [{ kind: 'Group', name: 'system:serviceaccounts:kube-system' }, true],
      [{ kind: 'Group', name: 'system:authenticated' }, true],
      [{ kind: 'ServiceAccount', name: 'job-controller', namespace: 'kube-system' }, true],
      [{ kind: 'Group', name: 'system:serviceaccounts:net' }, false],
      [PINGER, false],
      [{ kind: 'User', name: 'ada' }, false],
    ];
    for (const [subject, expected] of subjects) {
      it(`${expected ? 'by' : 'not by'} ${subject.kind} ${subject.name}`, () => {
        assert.equal(coversControllers(subject), expected);
      });
    }
  });
});
