/** The two campaigns: single policies, and sets of policies that meet with random rights to use them. */
import fc, { type Arbitrary } from 'fast-check';
import type { Identity } from '../../hack/controlplane/api.ts';
import type { Campaign } from './campaign.ts';
import { ACCOUNTS } from './current-cluster.ts';
import { binding, type PspSet, type RbacObject, type RbacSubject, role } from './objects.ts';
import { podsFor } from './pods.ts';
import { mildPolicy, randomPolicy } from './policies-arbitrary.ts';

const TESTER: Identity = { user: 'tester' };

/** Each in a separate namespace, for one person. */
export const POLICIES: Campaign = {
  together: 40,
  set: (id) =>
    randomPolicy(id).map((policy) => {
      const may = role(id, [id]);
      const rbac = [may, binding(id, may, [{ kind: 'User', name: TESTER.user }], id)];
      return { id, policies: [policy], rbac, namespaces: [id] };
    }),
  creations: ({ id, policies: [policy] }) => {
    if (policy === undefined) throw new Error(`${id} has no policy`);
    return podsFor(policy).map((pod) => ({ pod, namespace: id, account: 'default', creator: TESTER }));
  },
};

const TOOLS = 'psp-tools';
const CREATORS: readonly Identity[] = [
  { user: 'alice', groups: ['team-a'] },
  { user: 'bob' },
  {
    user: `system:serviceaccount:${TOOLS}:builder`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${TOOLS}`],
  },
  { user: 'root', groups: ['system:masters'] },
];

/** One set at a time: a right to all policies would reach those of other sets. */
export const SETS: Campaign = {
  together: 1,
  set: randomSet,
  creations: ({ policies, namespaces }) =>
    fc.record({
      pod: fc.constantFrom(...policies).chain(podsFor),
      namespace: fc.constantFrom(...namespaces),
      account: fc.constantFrom(...ACCOUNTS),
      creator: fc.constantFrom(...CREATORS),
    }),
};

function randomSet(id: string): Arbitrary<PspSet> {
  const namespaces = [`${id}-a`, `${id}-b`];
  const letters = fc.uniqueArray(fc.constantFrom(...'abcdef'), { minLength: 2, maxLength: 4 });
  return letters
    .map((all) => all.map((letter) => `${id}-${letter}`))
    .chain((names) => {
      const grants = fc.array(randomGrant(names, namespaces), { minLength: 2, maxLength: 6 });
      return fc.record({ policies: fc.tuple(...names.map(mildPolicy)), grants }).map(({ policies, grants }) => ({
        id,
        policies,
        rbac: grants.flatMap((grant, index) => rbacOf(`${id}-${index}`, grant)),
        namespaces,
      }));
    });
}

interface Grant {
  /** Absent: of all. */
  readonly policies: readonly string[] | undefined;
  readonly rule: object;
  readonly subjects: readonly RbacSubject[];
  /** Absent: everywhere. */
  readonly namespace: string | undefined;
  readonly roleIsLocal: boolean;
}

/** The spellings that people used; 1.24 still asked for the group `extensions` too. */
const RULES: readonly object[] = [
  {},
  {},
  { apiGroups: ['extensions'] },
  { apiGroups: ['policy', 'extensions'] },
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { resources: ['podsecuritypolicies', 'poddisruptionbudgets'], verbs: ['get', 'use'] },
  { verbs: ['get', 'list'] },
  { resources: ['poddisruptionbudgets'] },
];

function randomGrant(names: readonly string[], namespaces: readonly string[]): Arbitrary<Grant> {
  const subjects = fc.uniqueArray(randomSubject(namespaces), {
    minLength: 1,
    maxLength: 2,
    selector: (one) => JSON.stringify(one),
  });
  return fc.record({
    policies: fc.oneof(
      { weight: 4, arbitrary: fc.subarray([...names], { minLength: 1, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    rule: fc.constantFrom(...RULES),
    subjects,
    namespace: fc.constantFrom(undefined, ...namespaces),
    roleIsLocal: fc.boolean(),
  });
}

function randomSubject([first = '', second = '']: readonly string[]): Arbitrary<RbacSubject> {
  return fc.constantFrom<RbacSubject>(
    { kind: 'User', name: 'alice' },
    { kind: 'User', name: 'bob' },
    { kind: 'Group', name: 'team-a' },
    { kind: 'Group', name: 'system:authenticated' },
    { kind: 'Group', name: 'system:serviceaccounts' },
    { kind: 'Group', name: `system:serviceaccounts:${first}` },
    { kind: 'User', name: `system:serviceaccount:${first}:runner` },
    { kind: 'ServiceAccount', name: 'runner', namespace: first },
    { kind: 'ServiceAccount', name: 'default', namespace: second },
    { kind: 'ServiceAccount', name: 'builder', namespace: TOOLS },
  );
}

function rbacOf(name: string, { policies, rule, subjects, namespace, roleIsLocal }: Grant): RbacObject[] {
  const where = roleIsLocal && namespace !== undefined ? { namespace } : {};
  const granted = role(name, policies, { ...where, rule });
  return [granted, binding(name, granted, subjects, namespace)];
}
