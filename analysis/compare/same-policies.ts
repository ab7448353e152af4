/** Finds policies that have the same effect. */
import { rbacSubject } from '../../operator/compile/rbac.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Questions } from './compare.ts';
import { namespaceClasses } from './namespaces.ts';
import type { Beside } from './one-mode.ts';
import { areSame, everywhere, fillingText, withoutDefaulting } from './same-sets.ts';
import { samplePods } from './sample-pods.ts';

/**
 * Whether two policies of the same mode admit the same pods, in the same namespaces, for the same users, at all times.
 *
 * @throws TooMany or NotDecided if the question is not decided
 */
export function saySame({ policy: a, isExcluded }: Beside, { policy: b }: Beside, questions: Questions): boolean {
  if (termsOf(a) === undefined || termsOf(a) !== termsOf(b)) return false;
  const selecting = namespaceClasses([a], [b], isExcluded);
  if (selecting.some((one) => one.old.length !== one.new.length)) return false;
  const samples = [...samplePods(a, [b]), ...samplePods(b, [a])];
  const differs = samples.some((pod) => questions.admits(a, pod) !== questions.admits(b, pod));
  if (differs) return false;
  const sameWith = (form: (one: ResolvedPolicy) => ResolvedPolicy) =>
    areSame(
      { policies: [everywhere(form(a))], isExcluded },
      { policies: [everywhere(form(b))], isExcluded },
      questions,
    );
  return sameWith((one) => one) && (!a.defaulting || sameWith(withoutDefaulting));
}

/**
 * A text with all properties in which two policies must agree to have the same effect. Rules and selectors are left
 * out, because they are compared separately. The text is undefined for a policy with `usableBy: Bindings` or with a
 * rollout. A policy without this text counts as different from every other policy. The reason is that the policy itself
 * contains neither its bindings nor the progress of its rollout.
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
