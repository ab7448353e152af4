/**
 * The existing policies. New policies are suggested in addition to the existing policies. The existing policies come
 * from the cluster, from the files of --policy, and from --baseline.
 */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { PolicyContextOptions } from '../../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { InForce } from '../../../analysis/suggest/in-force.ts';
import type { SuggestedLevel } from '../../../analysis/suggest/level.ts';
import { allBut } from '../../../analysis/suggest/selectors.ts';
import type { CapabilityPolicy, CapabilityPolicySpec } from '../../../operator/api/capability-policy.ts';
import { newPolicy } from '../../../operator/api/model.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { UsageError } from '../../command.ts';

export interface KnownPolicies {
  readonly inForce: InForce;
  /**
   * The reasons why the operator would not accept the suggested policies in addition to the existing policies. The key
   * is the policy's name.
   */
  refusals(suggested: readonly CapabilityPolicy[]): ReadonlyMap<string, string>;
  /** The names of all existing policies. */
  readonly names: ReadonlySet<string>;
  /**
   * The policy that --baseline adds. Everybody may use this policy. The field is absent if another policy already
   * decides in every namespace.
   */
  readonly added?: CapabilityPolicy;
}

interface Knowing {
  readonly builder: PolicyContextBuilder;
  /** The cluster with its policies. The value is undefined for files, or if the policies could not be read. */
  readonly cluster: Cluster | undefined;
  readonly options: PolicyContextOptions;
  readonly tell: (trouble: Trouble) => void;
}

/** @param builder the builder to which the policies of the files and of the cluster were added */
export function knownPolicies({ builder, cluster, options, tell }: Knowing): KnownPolicies {
  const before = new PolicyContextBuilder();
  if (cluster) before.addCluster(cluster);
  const live = before.build(options, () => {});
  const rollouts = [...builder.rollouts([...builder.policies.keys()]).keys()];
  const promoted = builder.build(options, tell, { enforced: rollouts });
  return {
    inForce: new InForce({ live, promoted, rollouts: new Set(rollouts) }),
    names: new Set(builder.policies.keys()),
    refusals: (suggested) => refusalsOf(suggested, builder, options),
  };
}

/** Before Kubernetes 1.36, an API server has room for only a few policies with restricted use. */
function refusalsOf(
  suggested: readonly CapabilityPolicy[],
  builder: PolicyContextBuilder,
  options: PolicyContextOptions,
) {
  for (const { metadata, spec } of suggested) builder.addPolicy(metadata?.name ?? '', spec);
  const { refusals } = builder.build(options, () => {}).compiled;
  const names = new Set(suggested.map(({ metadata }) => metadata?.name));
  return new Map([...refusals].flatMap(([name, { message }]) => (names.has(name) ? [[name, message] as const] : [])));
}

/**
 * Adds the policy of --baseline if some namespace has no deciding Enforce policy. Every other Enforce policy has a
 * higher priority, so the added policy loosens no other policy.
 */
export function withBaseline(
  { builder, ...knowing }: Knowing,
  { level, name, namespaces }: { level: SuggestedLevel; name: string; namespaces: readonly string[] },
): KnownPolicies {
  const known = knownPolicies({ builder, ...knowing });
  const isDecided = (namespace: string) => known.inForce.strictest(namespace) === 'Enforce';
  if (namespaces.every(isDecided)) return known;
  const unique = uniqueName(name, known.names);
  const priorities = [...builder.policies.values()].flatMap(({ spec }) =>
    spec.mode === 'Enforce' ? [spec.priority] : [],
  );
  const priority = priorities.length > 0 ? Math.min(...priorities) - 1 : 0;
  // In a namespace where a rollout is pending, a policy of a lower priority would refuse running workloads.
  const selector = allBut(namespaces.filter((namespace) => known.inForce.isWaiting(namespace)));
  if (!selector)
    throw new UsageError('--baseline: rollouts are pending in too many namespaces; complete these rollouts first');
  const spec: CapabilityPolicySpec = {
    namespaceSelector: selector,
    level,
    mode: 'Enforce',
    ...(priority !== 0 && { priority: Math.max(priority, LOWEST) }),
  };
  builder.addPolicy(unique, spec);
  return { ...knownPolicies({ builder, ...knowing, tell: () => {} }), added: newPolicy(unique, spec) };
}

/** The lowest priority that the API allows. */
const LOWEST = -(2 ** 31);

function uniqueName(wanted: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted}-${count}`;
    if (!taken.has(name)) return name;
  }
}
