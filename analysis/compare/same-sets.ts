/** Says whether the policies of two sets admit the same pods. If the question is not decided, an error is thrown. */

import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Questions } from './compare.ts';
import type { PolicySet } from './policy-set.ts';

/** Thrown if the comparison did not decide a question about policies. */
export class NotDecided extends Error {}

/** @throws NotDecided if no difference was found, but it is not proved that the sets are the same */
export function areSame(old: PolicySet, now: PolicySet, questions: Questions): boolean {
  const { opens, closes, undecided } = questions.firstDifference(old, now, { comparesSubjects: true });
  if (opens.length + closes.length > 0) return false;
  const [open] = undecided;
  if (open) throw new NotDecided(open.message);
  return true;
}

/** A copy of the policy. The copy is for everybody and for all namespaces. */
export function everywhere(policy: ResolvedPolicy): ResolvedPolicy {
  return { ...policy, selector: {}, usableBy: 'Everyone' };
}

/** Two policies have the same text if the policies fill in pods in the same way. */
export function fillingText({ defaulting, fills, seccompChanges }: ResolvedPolicy): string {
  return JSON.stringify([defaulting, fills, seccompChanges]);
}
