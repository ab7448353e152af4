/**
 * Finds the pods that a change of a cluster's policies newly admits. For each difference, also finds the namespaces of
 * the cluster in which the difference exists.
 */
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import { withLabel } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Labels } from '../../operator/policy/selector.ts';
import { type Comparison, compare, type Difference } from './compare.ts';
import { classOf } from './namespaces.ts';
import { policySetOf } from './policy-set.ts';

/** The policies of the cluster and the labels of its namespaces, either before or after the change. */
interface State {
  readonly compiled: { readonly policies: readonly ResolvedPolicy[] };
  isExcluded(namespace: string): boolean;
  labelsOf(namespace: string): Labels;
}

export interface Opening extends Difference {
  /** The sorted names of the given namespaces that belong to the class of the difference. */
  readonly namespaces: readonly string[];
}

/**
 * A comparison that examines only the direction `opens`. The fields `same` and `closes` of a comparison have no meaning
 * if only `opens` is examined.
 */
export interface Opened extends Pick<Comparison, 'undecided' | 'classes' | 'namesEveryRule'> {
  readonly opens: readonly Opening[];
}

/**
 * @param namespaces the names of the cluster's namespaces; the result names the namespaces with a difference
 * @param limit the maximum number of pods that the comparison examines
 */
export function openedBy(
  before: State,
  after: State,
  { namespaces, limit }: { readonly namespaces: readonly string[]; readonly limit: number },
): Opened {
  const [old, now] = [policySetOf(before), policySetOf(after)];
  const impossible = neverPending(old.policies, now.policies);
  const { opens, undecided, classes, namesEveryRule } = compare(old, now, { limit, directions: ['opens'], impossible });
  const classIn = (labels: Labels, labelsAfter = labels) =>
    classOf({ policies: old.policies, labels }, { policies: now.policies, labels: labelsAfter });
  const reached = opens.length > 0 ? namespaces.filter((name) => !old.isExcluded(name) && !now.isExcluded(name)) : [];
  const members = Map.groupBy(reached.toSorted(), (name) => classIn(before.labelsOf(name), after.labelsOf(name)));
  return {
    opens: opens.map((one) => ({ ...one, namespaces: members.get(classIn(one.namespace)) ?? [] })),
    undecided,
    classes,
    namesEveryRule,
  };
}

/**
 * Selectors of the namespaces that would be pending, although the policy is enforced in them. If a rollout is added to
 * an enforced policy, the operator keeps the policy enforced in these namespaces. The guard lets only users with the
 * verb `exempt` set the label.
 */
function neverPending(before: readonly ResolvedPolicy[], after: readonly ResolvedPolicy[]): LabelSelector[] {
  const rolledOut = new Set(after.flatMap(({ name, pendingFor }) => (pendingFor ? [name] : [])));
  return before
    .filter(({ name, mode, spec }) => mode === 'Enforce' && !spec.rollout && rolledOut.has(name))
    .map(({ name, selector }) => withLabel(selector, name, 'In'));
}

/**
 * The result if nothing could be compared.
 *
 * @param message one sentence that says the reason
 */
export function notCompared(message: string): Opened {
  return {
    opens: [],
    undecided: [{ direction: 'opens', message }],
    classes: 0,
    namesEveryRule: { opens: false, closes: false },
  };
}
