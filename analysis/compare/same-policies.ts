/** Finds policies that have the same effect. */
import { rbacSubject } from '../../operator/compile/rbac.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Questions } from './compare.ts';
import { namespaceClasses } from './namespaces.ts';
import type { Beside } from './one-mode.ts';
import { areSame, everywhere, fillingText, NotDecided } from './same-sets.ts';
import { samplePods } from './sample-pods.ts';
import { areTooManyAsked, TOO_MANY_ASKED } from './uses.ts';
import { withoutChanges } from './without-changes.ts';

/**
 * Whether two policies of the same mode admit the same pods, in the same namespaces, for the same users, at all times.
 *
 * @throws TooMany or NotDecided if the question is not decided
 */
export function saySame(one: Beside, { policy: b }: Beside, questions: Questions): boolean {
  const { policy: a, isExcluded } = one;
  if (termsOf(a) === undefined || termsOf(a) !== termsOf(b)) return false;
  const selecting = namespaceClasses([a], [b], isExcluded);
  if (selecting.some((one) => one.old.length !== one.new.length)) return false;
  const samples = [...samplePods(a, [b]), ...samplePods(b, [a])];
  const differs = samples.some((pod) => questions.admits(a, pod) !== questions.admits(b, pod));
  if (differs || fillsBetween(one, b)) return false;
  checkAsked(one, questions);
  const sameWith = (form: (one: ResolvedPolicy) => ResolvedPolicy) =>
    areSame(
      { policies: [everywhere(form(a))], isExcluded },
      { policies: [everywhere(form(b))], isExcluded },
      questions,
    );
  return sameWith((one) => one) && (!a.defaulting || sameWith(withoutChanges));
}

/**
 * Whether another policy may fill in a pod instead of one of the copies. Defaulting uses the first policy in the order
 * of names, so it matters which copy is deleted.
 */
function fillsBetween({ policy: a, others }: Beside, b: ResolvedPolicy): boolean {
  const isBetween = ({ name }: ResolvedPolicy) => (a.name < name && name < b.name) || (b.name < name && name < a.name);
  return (
    a.defaulting &&
    others.some(
      (one) => one.defaulting && isBetween(one) && one.priority === a.priority && fillingText(one) !== fillingText(a),
    )
  );
}

/**
 * The API server checks only for a limited number of policies whether a user may use the policy. If more policies have
 * restricted use, the deletion of a copy makes the API server ask about another policy.
 *
 * @throws NotDecided
 */
function checkAsked({ policy, others, isExcluded }: Beside, questions: Questions): void {
  if (policy.usableBy === 'Everyone') return;
  const classes = namespaceClasses([policy, ...others], [], isExcluded, questions);
  if (classes.some(({ old }) => old.includes(policy) && areTooManyAsked(old))) throw new NotDecided(TOO_MANY_ASKED);
}

/**
 * A text with all properties that two policies must share to have the same effect. Rules and selectors are left out,
 * because they are compared separately. The text is undefined for a policy with `usableBy: Bindings` or with a rollout.
 * A policy without this text counts as different from every other policy. The reason is that the policy itself contains
 * neither its bindings nor the progress of its rollout.
 */
const termsOf = perObject((policy: ResolvedPolicy): string | undefined => {
  const { priority, usableBy, subjects, expires, podSecurityLabels, adminAccessLabel, meanwhile } = policy;
  if (usableBy === 'Bindings' || meanwhile !== undefined) return undefined;
  const users = subjects.map((subject) => JSON.stringify(rbacSubject(subject))).sort();
  // The time is written as a text, because JSON has no infinite number.
  const end = `${expires}`;
  const all = [priority, usableBy, [...new Set(users)], end, podSecurityLabels, adminAccessLabel, fillingText(policy)];
  return JSON.stringify(all);
});
