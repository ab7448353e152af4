/** Finds policies whose deletion changes nothing. */
import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Questions } from './compare.ts';
import { type NamespaceClass, namespaceClasses } from './namespaces.ts';
import { type Beside, periodsOf } from './one-mode.ts';
import { areSame, fillingText, NotDecided } from './same-sets.ts';
import { samplePods } from './sample-pods.ts';
import { TooMany } from './too-many.ts';
import { includesUsers } from './uses.ts';
import { withoutChanges } from './without-changes.ts';

/**
 * Whether the same pods are admitted with and without the policy until the policy expires. The comparison is made for
 * each user and each namespace where the policy decides. In each namespace where the policy decides, one of the other
 * policies must decide, too.
 *
 * @throws TooMany or NotDecided if the question is not decided
 */
export function isRedundant(beside: Beside, questions: Questions): boolean {
  // A policy that guards a label is never redundant, because the guard does not depend on pods.
  if (beside.policy.adminAccessLabel === 'Guarded') return false;
  return periodsOf(beside).every((others) => isRedundantNow({ ...beside, others }, questions));
}

/** Finds a small group of the other policies that is enough to make the policy redundant. */
export function coverOf(beside: Beside, questions: Questions): readonly ResolvedPolicy[] {
  const lowestFirst = beside.others.toSorted((a, b) => a.priority - b.priority);
  let cover = beside.others;
  for (const other of lowestFirst) {
    const fewer = cover.filter((one) => one !== other);
    if (isProved(() => isRedundant({ ...beside, others: fewer }, questions))) cover = fewer;
  }
  return cover;
}

/** Whether the function returns true. The result is false if the question is not decided. */
export function isProved(answer: () => boolean): boolean {
  try {
    return answer();
  } catch (error) {
    if (error instanceof NotDecided || error instanceof TooMany) return false;
    throw error;
  }
}

function isRedundantNow({ policy, others, isExcluded }: Beside, questions: Questions): boolean {
  const all = [policy, ...others];
  const deciding = namespaceClasses(all, others, isExcluded, questions).filter(({ old }) => old.includes(policy));
  if (deciding.length === 0) return true;
  if (deciding.some((one) => one.new.length === 0)) return false;
  if (samplesDiffer({ policy, others, isExcluded }, deciding, questions)) return false;
  const sameWith = (form: (one: ResolvedPolicy) => ResolvedPolicy) =>
    areSame({ policies: all.map(form), isExcluded }, { policies: others.map(form), isExcluded }, questions);
  if (!sameWith((one) => one)) return false;
  if (!all.some(({ defaulting }) => defaulting)) return true;
  // Defaulting fills in a pod if every policy that admits the pod would also change the pod. The other policies must
  // therefore leave the same pods unchanged.
  if (!sameWith(withoutChanges)) return false;
  if (mayFillOtherwise(policy, others)) {
    throw new NotDecided('the same pods are admitted without it, but policies with other defaulting may fill them in');
  }
  return true;
}

/** The maximum number of classes of namespaces in which sample pods are tried. */
const MOST_SAMPLED = 20;

/**
 * Whether a sample pod has another verdict without the policy. The verdicts are compared for two users. One user may
 * use the policy, and the other user may use only policies for everybody.
 */
function samplesDiffer({ policy, others }: Beside, deciding: readonly NamespaceClass[], questions: Questions): boolean {
  const ofPolicy = (one: ResolvedPolicy) => one === policy || isForAll(one) || includesUsers(one, policy);
  const samples = samplePods(policy, others).map((pod) =>
    perObject((one: ResolvedPolicy) => ({ admits: questions.admits(one, pod) })),
  );
  return deciding.slice(0, MOST_SAMPLED).some((namespace) =>
    [ofPolicy, isForAll].some((mayUse) => {
      const [before, after] = [namespace.old.filter(mayUse), namespace.new.filter(mayUse)];
      return samples.some((sample) => {
        const isAdmitted = (policies: readonly ResolvedPolicy[]) => policies.some((one) => sample(one).admits);
        return isAdmitted(before) !== isAdmitted(after);
      });
    }),
  );
}

function isForAll({ usableBy }: ResolvedPolicy): boolean {
  return usableBy === 'Everyone';
}

/** Whether defaulting may fill in other values if the policy is missing. */
function mayFillOtherwise(policy: ResolvedPolicy, others: readonly ResolvedPolicy[]): boolean {
  // With `defaulting: PodSecurityPolicy`, a policy may fill in a pod that another policy admits unchanged.
  if ([policy, ...others].some(({ seccompChanges }) => seccompChanges)) return true;
  const filling = others.filter(({ defaulting }) => defaulting);
  return policy.defaulting && filling.some((one) => fillingText(one) !== fillingText(policy));
}
