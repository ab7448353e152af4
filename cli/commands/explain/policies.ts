/**
 * Finds the entries that containers need to comply with the policies that the user names with --policy. The entries are
 * in the policies' field `spec.containers`.
 */
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { passingByEntry } from '../../../analysis/policies/passing-entries.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE } from '../../../operator/model/namespaces.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { createProjection } from '../../../operator/projection/projection.ts';
import { UNSHARED } from '../../../operator/projection/sharing.ts';
import { RULES } from '../../../operator/rules/index.ts';
import { NEWEST_KNOWN_MINOR } from '../../../operator/standards/level-version.ts';
import { type Io, UsageError } from '../../command.ts';
import type { Troubles } from '../../input/troubles.ts';
import { addPolicies } from '../../policies/add-files.ts';
import type { Passing } from './manifests.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: OPERATOR_NAMESPACE,
  excludedNamespaces: EXCLUDED_NAMESPACES,
  namespaceLabels: {},
};

/** Evaluates pods against each policy, even if the policy does not select the pods' namespaces. */
export async function passingBy(paths: readonly string[], io: Io, troubles: Troubles): Promise<Passing> {
  const policies = await policiesIn(paths, io, troubles);
  const projection = createProjection(RULES, UNSHARED);
  const evaluator = new Evaluator();
  return (pod) => {
    const content = projection.content(pod);
    const all = policies.flatMap((policy) => [...passingByEntry(content, policy, evaluator)]);
    const byName = Map.groupBy(all, ([container]) => container);
    return new Map([...byName].map(([container, found]) => [container, found.map(([, one]) => one)]));
  };
}

async function policiesIn(paths: readonly string[], io: Io, troubles: Troubles): Promise<ResolvedPolicy[]> {
  const builder = new PolicyContextBuilder();
  await addPolicies(builder, paths, io, troubles);
  if (builder.isEmpty && troubles.count === 0)
    throw new UsageError('the files of --policy contain no CapabilityPolicy');
  const { policies } = builder.build({ ...OPTIONS, at: Date.now() }, troubles.trouble).compiled;
  // If a policy has a rollout, the pending part is skipped, because its checks are the checks of the enforced part.
  return policies.filter(({ pendingFor }) => !pendingFor);
}
