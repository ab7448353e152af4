/**
 * ClusterRoles with an aggregationRule: a controller writes into them the rules of the ClusterRoles that it selects, instead of
 * their own (k8s.io/kubernetes/pkg/controller/clusterroleaggregation). It applies no empty list, so where it selects no rule they
 * keep their own.
 */
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import type { PolicyRule, RoleView } from '../../operator/model/objects.ts';
import { arrayOf, objectOf, type RawObject, textsIn } from '../../operator/model/raw.ts';
import { matches } from '../../operator/policy/selector.ts';
import { projectRole } from '../../operator/projection/rbac-projection.ts';
import type { Labels } from './context.ts';

export interface ClusterRole {
  readonly name: string;
  readonly labels: Labels;
  /** Absent without an aggregationRule. */
  readonly selectors?: readonly LabelSelector[];
  /** Only those that may grant a verb on capabilitypolicies. */
  readonly rules: readonly PolicyRule[];
  /** Whether it has any rules. */
  readonly isStated: boolean;
}

/** The aggregated roles that every cluster has (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
export const IN_EVERY_CLUSTER: readonly ClusterRole[] = [
  { name: 'admin', labels: {}, selectors: [withLabel('admin')], rules: [], isStated: false },
  { name: 'edit', labels: labelFor('admin'), selectors: [withLabel('edit')], rules: [], isStated: false },
  { name: 'view', labels: labelFor('edit'), selectors: [withLabel('view')], rules: [], isStated: false },
];

function labelFor(role: string): Labels {
  return { [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' };
}

function withLabel(role: string): LabelSelector {
  return { matchLabels: labelFor(role) };
}

export function clusterRoleOf(raw: RawObject): ClusterRole {
  const { aggregationRule, metadata } = raw;
  const selectors = arrayOf(objectOf(aggregationRule).clusterRoleSelectors).map(objectOf);
  return {
    name: metadata?.name ?? '',
    labels: textsIn(metadata?.labels),
    ...((aggregationRule ?? null) !== null && { selectors }),
    rules: projectRole(raw)?.rules ?? [],
    isStated: arrayOf(raw.rules).length > 0,
  };
}

/** All ClusterRoles of a cluster: the controller has written the rules of those that are aggregated. */
export function liveRoles(all: readonly RawObject[]): readonly ClusterRole[] {
  const roles = all.map(clusterRoleOf);
  return roles.map((role) => {
    const bare = { ...role, rules: [], isStated: false };
    return role.selectors && sourcesOf(bare, roles, new Set()).length > 0 ? bare : role;
  });
}

/** The roles with an aggregationRule, as the controller writes them. */
export function aggregatedRoles(roles: readonly ClusterRole[]): RoleView[] {
  return roles
    .filter(({ selectors }) => selectors)
    .map((role) => ({ name: role.name, rules: sourcesOf(role, roles, new Set()).flatMap(({ rules }) => rules) }));
}

/**
 * The roles whose rules it has.
 *
 * @param seen the aggregated roles that count already: two of them may select each other
 */
function sourcesOf(role: ClusterRole, roles: readonly ClusterRole[], seen: Set<ClusterRole>): readonly ClusterRole[] {
  const { selectors, isStated } = role;
  const own = isStated ? [role] : [];
  if (!selectors) return own;
  if (seen.has(role)) return [];
  seen.add(role);
  const selected = roles.filter(({ labels }) => selectors.some((selector) => matches(selector, labels)));
  const sources = selected.flatMap((one) => sourcesOf(one, roles, seen));
  return sources.length > 0 ? sources : own;
}
