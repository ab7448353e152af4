/** Random sets of overlapping policies, with the users of the policies and the creators of the pods. */
import fc, { type Arbitrary } from 'fast-check';
import type { CapabilityPolicySpec, LabelSelector, Mode } from '../../../operator/api/capability-policy.ts';
import { SELECTOR, UNIVERSE } from '../../support/random-selectors.ts';
import { mildRules } from '../policies/arbitrary.ts';
import type { Grant, Person, Subject } from './reference-model.ts';

export interface PolicySet {
  readonly policies: readonly { readonly name: string; readonly spec: CapabilityPolicySpec }[];
  readonly namespaces: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly grants: readonly Grant[];
}

/** The label by which a set's policies select only the namespaces of the set. */
const SET_LABEL = 'differential-set';
/** The namespace of service accounts that create pods in other namespaces. */
export const TOOLS = 'sets-tools';
/** The service accounts in each namespace. */
export const ACCOUNTS = ['default', 'runner'] as const;

/**
 * The users who create pods, with the groups in their certificates. The API server adds the group
 * `system:authenticated` to each user.
 */
export const CREATORS: readonly Person[] = [
  { name: 'alice', groups: ['team-a'] },
  { name: 'bob', groups: [] },
  {
    name: `system:serviceaccount:${TOOLS}:builder`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${TOOLS}`],
  },
  { name: 'root', groups: ['system:masters'] },
];

const NAMESPACES = ['a', 'b', 'c'];

/** @param set a part of all names */
export function randomSet(set: string): Arbitrary<PolicySet> {
  const namespaces = fc
    .array(fc.constantFrom(...UNIVERSE), { minLength: NAMESPACES.length, maxLength: NAMESPACES.length })
    .map((all) =>
      all.map((labels, i) => ({ name: `${set}-${NAMESPACES[i]}`, labels: { ...labels, ...confined(set) } })),
    );
  const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 2, maxLength: 5 });
  return names
    .map((letters) => letters.map((letter) => `${set}-${letter}`))
    .chain((all) => {
      const spec = randomSpec(confinedSelector(set), subjectOf(set));
      const policies = fc.tuple(...all.map((name) => spec.map((one) => ({ name, spec: one }))));
      return fc.record({ policies, namespaces, grants: fc.array(randomGrant(set, all), { maxLength: 4 }) });
    });
}

/**
 * The spec of a random policy for random users.
 * @param subjects the subjects that the policy may name
 */
export function randomSpec(
  namespaces: Arbitrary<LabelSelector>,
  subjects: Arbitrary<Subject>,
): Arbitrary<CapabilityPolicySpec> {
  const usable = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ usableBy: 'Everyone' as const }) },
    { weight: 2, arbitrary: fc.constant({ usableBy: 'Bindings' as const }) },
    {
      weight: 2,
      arbitrary: fc
        .uniqueArray(subjects, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) })
        .map((named) => ({ usableBy: 'Subjects' as const, subjects: named })),
    },
  );
  return fc
    .record({
      rules: mildRules(),
      selector: namespaces,
      usable,
      mode: fc.constantFrom<Mode>('Enforce', 'Enforce', 'Enforce', 'Warn', 'Audit'),
      priority: fc.constantFrom(0, 0, 0, 7, -3),
      fills: fc.constantFrom('Disabled' as const, 'Enabled', 'PodSecurityPolicy'),
    })
    .map(({ rules, selector, usable, mode, priority, fills }) => ({
      ...rules,
      ...usable,
      mode,
      priority,
      namespaceSelector: selector,
      defaulting: mode === 'Enforce' ? fills : 'Disabled',
    }));
}

/** A selector of a set's own namespaces. */
export function confinedSelector(set: string): Arbitrary<LabelSelector> {
  return fc
    .oneof({ weight: 2, arbitrary: fc.constant<LabelSelector>({}) }, { weight: 1, arbitrary: SELECTOR })
    .map(({ matchLabels, ...rest }) => ({ ...rest, matchLabels: { ...matchLabels, ...confined(set) } }));
}

/** The label that all namespaces of a set have. */
export function confined(set: string): Readonly<Record<string, string>> {
  return { [SET_LABEL]: set };
}

function subjectOf(set: string): Arbitrary<Subject> {
  const [first = '', second = ''] = NAMESPACES.map((name) => `${set}-${name}`);
  return subject(first, second);
}

/** A user, a group or a service account. Some of the service accounts belong to the two given namespaces. */
export function subject(first: string, second: string): Arbitrary<Subject> {
  return fc.constantFrom<Subject>(
    { kind: 'User', name: 'alice' },
    { kind: 'Group', name: 'team-a' },
    { kind: 'Group', name: 'system:authenticated' },
    { kind: 'Group', name: 'system:serviceaccounts' },
    { kind: 'Group', name: `system:serviceaccounts:${first}` },
    { kind: 'User', name: `system:serviceaccount:${first}:runner` },
    { kind: 'ServiceAccount', name: 'runner', namespace: first },
    { kind: 'ServiceAccount', name: 'default', namespace: second },
    { kind: 'ServiceAccount', name: 'builder', namespace: TOOLS },
    { kind: 'ServiceAccount', name: 'replicaset-controller', namespace: 'kube-system' },
  );
}

/**
 * A random grant. A right to all policies is granted in only one namespace of the random set. A cluster-wide right to
 * all policies would also apply to other random sets.
 */
function randomGrant(set: string, policies: readonly string[]): Arbitrary<Grant> {
  const namespace = fc.constantFrom(...NAMESPACES.map((name) => `${set}-${name}`));
  const policy = fc.constantFrom(...policies);
  return fc.oneof(
    fc.record({ policy, subject: subjectOf(set) }),
    fc.record({ policy, subject: subjectOf(set), namespace }),
    fc.record({ policy: fc.constant('*'), subject: subjectOf(set), namespace }),
  );
}
