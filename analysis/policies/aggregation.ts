/**
 * Computes the rules of ClusterRoles with an aggregationRule. A controller replaces the rules of each ClusterRole that
 * has an aggregationRule. The new rules come from the ClusterRoles that the aggregationRule selects
 * (k8s.io/kubernetes/pkg/controller/clusterroleaggregation). The controller never writes an empty list. If the
 * controller finds no rule, the role keeps its own rules.
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
  /** The selectors of the aggregationRule; absent if the role has no aggregationRule. */
  readonly selectors?: readonly LabelSelector[];
  /** The role's rules that may grant a verb on capabilitypolicies. */
  readonly rules: readonly PolicyRule[];
  /** Whether the role's manifest has rules. */
  readonly isStated: boolean;
}

/**
 * The aggregated ClusterRoles that every cluster has
 * (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
 */
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

/**
 * All ClusterRoles of a cluster. In a live cluster, a controller has already written the rules of the aggregated roles.
 */
export function liveRoles(all: readonly RawObject[]): readonly ClusterRole[] {
  const roles = all.map(clusterRoleOf);
  return roles.map((role) => {
    const bare = { ...role, rules: [], isStated: false };
    return role.selectors && sourcesOf(bare, roles, new Set()).length > 0 ? bare : role;
  });
}

/** The roles with an aggregationRule. Each role has the rules that the controller writes into the role. */
export function aggregatedRoles(roles: readonly ClusterRole[]): RoleView[] {
  return roles
    .filter(({ selectors }) => selectors)
    .map((role) => ({ name: role.name, rules: sourcesOf(role, roles, new Set()).flatMap(({ rules }) => rules) }));
}

/**
 * The roles from which an aggregated role gets its rules.
 *
 * @param seen the aggregated roles that were already visited. Two aggregated roles may select each other
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
