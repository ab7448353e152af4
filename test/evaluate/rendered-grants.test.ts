/**
 * Tests how the cluster's roles and bindings are combined with the roles and bindings that the operator will write.
 */
import assert from 'node:assert/strict';
import { renderedGrants, withRendered } from '../../operator/evaluate/rendered-grants.ts';
import { createUseIndex, serviceAccountUser } from '../../operator/evaluate/use.ts';
import type { RbacSubject, RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { binding, useRole } from '../support/views.ts';

const PINGER = { kind: 'ServiceAccount', namespace: 'net', name: 'pinger' } as const;
const OTHER: RbacSubject = { kind: 'ServiceAccount', namespace: 'net', name: 'other' };
const NAME = 'capabilitypolicy.dev:use:ping';
const own = (subject: RbacSubject): RoleBindingView => ({ ...binding(NAME, subject), name: NAME });

describe('the grants of policies', () => {
  const subjects = resolvedBaseline('ping', { usableBy: 'Subjects', subjects: [PINGER] });
  const bindings = resolvedBaseline('ping', { usableBy: 'Bindings' });
  const everyone = resolvedBaseline('ping');

  const rows: [string, typeof subjects, RoleView[], RoleBindingView[], (typeof PINGER.name | 'other')[]][] = [
    ['name subjects before the role and the binding exist', subjects, [], [], ['pinger']],
    ['replace the subjects of the existing binding', subjects, [useRole('ping')], [own(OTHER)], ['pinger']],
    ['keep bindings that people made', subjects, [], [binding(NAME, OTHER)], ['other', 'pinger']],
    ['make a binding that was made in advance count', bindings, [], [binding(NAME, OTHER)], ['other']],
    [
      'keep a binding of the same name in a namespace',
      subjects,
      [],
      [{ ...own(OTHER), namespace: 'net' }],
      ['other', 'pinger'],
    ],
    ['leave a binding that the operator has not deleted yet', bindings, [useRole('ping')], [own(OTHER)], ['other']],
    ['name nobody where everyone may use the policy', everyone, [], [], []],
  ];
  for (const [title, policy, roles, live, expected] of rows) {
    it(title, () => {
      const all = withRendered({ roles, bindings: live }, renderedGrants([policy]));
      const use = createUseIndex(all.roles, all.bindings);
      const users = ['other', 'pinger'].filter((name) => use.mayUse(serviceAccountUser('net', name), 'net', 'ping'));
      assert.deepEqual(users, expected);
    });
  }

  it('one policy always gives the same objects, and both parts of a rollout share one object', () => {
    const rolled = resolvedBaseline('ping', { mode: 'Enforce', rollout: {}, usableBy: 'Subjects', subjects: [PINGER] });
    const grants = renderedGrants(partsOf(rolled, { begun: true }));
    assert.deepEqual([...grants.keys()], [NAME]);
    assert.equal(renderedGrants([subjects]).get(NAME), renderedGrants([subjects]).get(NAME));
  });

  it('a rendered binding and the projection of the written binding state subjects in the same form', () => {
    const group = { kind: 'Group', name: 'ops' } as const;
    const policy = resolvedBaseline('ping', { usableBy: 'Subjects', subjects: [PINGER, group] });
    const all = withRendered({ roles: [], bindings: [] }, renderedGrants([policy]));
    const use = createUseIndex(all.roles, all.bindings);
    assert.deepEqual(use.holders('ping'), [{ subject: group }, { subject: PINGER }]);
  });
});
