/** Proves that a change of a cluster's policies admits no pod that was refused before. */
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { mayOverlap } from '../../operator/policy/selector.ts';
import type { PolicyState } from '../../operator/state/policy-state.ts';
import { compare } from '../compare/compare.ts';
import { NAMESPACE_NAME } from '../compare/one-mode.ts';
import { policySetOf } from '../compare/policy-set.ts';

/** The maximum number of pods that the proof of one change examines. A larger question counts as not proved. */
const MOST_PODS = 200_000;

export class Proof {
  readonly #stateWith: (policies: readonly CompletePolicy[]) => PolicyState;

  /**
   * @param stateOf computes the state of the policies for a cluster
   * @param withPolicies the cluster with the given policies instead of its own
   */
  constructor(
    stateOf: (cluster: Cluster) => PolicyState,
    withPolicies: (policies: readonly CompletePolicy[]) => Cluster,
  ) {
    this.#stateWith = (policies) => stateOf(withPolicies(policies));
  }

  /**
   * Whether the changed policy, for itself, admits only pods that the policy admits. The two must select the same
   * namespaces with the same priority. Several such changes then open nothing together, whatever other policies admit.
   */
  narrows(policy: CompletePolicy, changed: CompletePolicy): boolean {
    return this.#opensNothing([policy], [changed], () => true);
  }

  /** Whether the policies admit only pods that they admitted before, after the named policies are deleted. */
  deletionNarrows(names: readonly string[], policies: readonly CompletePolicy[]): boolean {
    const left = policies.filter(({ metadata }) => !names.includes(metadata?.name ?? ''));
    const deleted = this.#stateWith(policies).compiled.policies.filter(({ name }) => names.includes(name));
    // Where no deleted policy decides, the deletion changes nothing.
    const isConcerned = ({ selector }: ResolvedPolicy) => deleted.some((one) => mayOverlap(one.selector, selector));
    return this.#opensNothing(policies, left, isConcerned);
  }

  /** Each mode decides separately, so the policies of each mode are compared as if they were enforced. */
  #opensNothing(
    before: readonly CompletePolicy[],
    after: readonly CompletePolicy[],
    isConcerned: (policy: ResolvedPolicy) => boolean,
  ): boolean {
    const [old, now] = [before, after].map((policies) => policySetOf(this.#stateWith(policies)));
    if (!old || !now) return false;
    return MODES.every((mode) => {
      const ofMode = (policies: readonly ResolvedPolicy[]) =>
        policies.filter((one) => one.mode === mode && isConcerned(one)).map(asEnforced);
      const isExcluded = (name: string) => !NAMESPACE_NAME.test(name) || old.isExcluded(name);
      const { opens, undecided } = compare(
        { policies: ofMode(old.policies), isExcluded },
        { policies: ofMode(now.policies), isExcluded },
        { limit: MOST_PODS, directions: ['opens'] },
      );
      return opens.length + undecided.length === 0;
    });
  }
}

function asEnforced(policy: ResolvedPolicy): ResolvedPolicy {
  return { ...policy, mode: 'Enforce' };
}
