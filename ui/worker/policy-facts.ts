/**
 * Finds facts about a policy that depend on the other policies, too. The snapshot of the cluster does not contain these
 * facts.
 */
import { type SelectedNamespace, selectedNamespaces } from '../../analysis/policies/selected-namespaces.ts';
import {
  type LabelCost,
  type LevelVersion,
  labelCosts,
  rulesBeyondLabel,
  tightest,
} from '../../operator/compile/labels.ts';
import type { Holder } from '../../operator/evaluate/use.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Loaded } from './loaded.ts';

export interface PolicyFacts {
  /** Whether some text of the policy is in force. If no text is in force, `why` is the reason. */
  readonly force: { readonly in: true } | { readonly in: false; readonly why: 'Expired' | 'NotAccepted' | 'Gone' };
  /** The namespaces that the policy selects, sorted by name. */
  readonly selected: readonly SelectedNamespace[];
  /**
   * The Pod Security label of the namespaces in which no other policy decides. If no text of the policy is in force,
   * the field is absent.
   */
  readonly label?: LabelFacts;
  /** The subjects that may use the policy. If the user may not read roles or role bindings, the field is absent. */
  readonly users?: {
    /** The subjects that may use the policy by its name. */
    readonly holders: readonly Holder[];
    /** The subjects that may use every policy. */
    readonly holdersOfAll: readonly Holder[];
  };
}

export interface LabelFacts {
  /**
   * The strictest label that admits all pods of the policy. If no label admits all these pods, the value is undefined.
   */
  readonly found: LevelVersion | undefined;
  /** The reasons why the label `found` is not stricter. */
  readonly costs: readonly LabelCost[];
  /**
   * The label for warnings. If the label for warnings equals `label`, the field is absent. The API server evaluates the
   * label for warnings before defaulting fills in fields of the pods.
   */
  readonly unfilled?: { readonly found: LevelVersion | undefined; readonly costs: readonly LabelCost[] };
  /** The rules of the policy that the label does not enforce. */
  readonly beyond: readonly string[];
}

export function policyFacts(name: string, loaded: Loaded): PolicyFacts {
  const { cluster, state, excluded, usersKnown } = loaded;
  const parts = partsOfPolicy(name, loaded);
  const [policy] = parts;
  const why = state.hasExpired(name) ? 'Expired' : cluster.policy(name) ? 'NotAccepted' : 'Gone';
  return {
    force: policy ? { in: true } : { in: false, why },
    selected: selectedNamespaces(parts, {
      namespaces: cluster.namespaces(),
      excluded,
      selecting: (namespace) => state.selecting(namespace),
    }),
    ...(policy && { label: labelFacts(policy, cluster.oldestServer) }),
    ...(usersKnown && { users: { holders: state.use.holders(name), holdersOfAll: state.use.holdersOfAll() } }),
  };
}

function labelFacts(policy: ResolvedPolicy, server: number): LabelFacts {
  const found = tightest([policy], server);
  const unfilled = policy.defaulting && {
    found: tightest([policy], server, true),
    costs: labelCosts([policy], server, true),
  };
  const differs = unfilled && JSON.stringify(unfilled.found) !== JSON.stringify(found);
  return {
    found,
    costs: labelCosts([policy], server),
    ...(differs && { unfilled }),
    beyond: rulesBeyondLabel(policy, found),
  };
}

/** The parts of the policy that are in force. */
export function partsOfPolicy(name: string, { state: { compiled } }: Loaded): ResolvedPolicy[] {
  return compiled.policies.filter((policy) => policy.name === name);
}
