/**
 * The roles and bindings that the operator renders. Perhaps the operator has not written all of these objects yet. When
 * the operator has written these objects, a policy may admit more workloads. Without the rendered grants, the workload
 * would get the verdict Violating.
 */
import { renderGrant, useRoleName } from '../compile/rbac.ts';
import type { RbacSubject, RoleBindingView, RoleView } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';

export interface Grants {
  readonly roles: Iterable<RoleView>;
  readonly bindings: Iterable<RoleBindingView>;
}

interface RenderedGrant {
  readonly role: RoleView;
  /** The binding of a policy with `usableBy: Subjects`. */
  readonly binding?: RoleBindingView;
}

/** The rendered grants. The key is the name of the role, which is also the name of the binding. */
export type RenderedGrants = ReadonlyMap<string, RenderedGrant>;

/**
 * Renders the grants of the policies with restricted use. Evaluation never checks the use of a policy that is for
 * everyone. The parts of a policy with a rollout share one grant.
 */
export function renderedGrants(policies: readonly ResolvedPolicy[]): RenderedGrants {
  const restricted = policies.filter(({ usableBy }) => usableBy !== 'Everyone');
  return new Map(restricted.map((policy) => [useRoleName(policy.name), grantOf(policy)]));
}

/** Returns the grants of the cluster. A rendered grant replaces the existing grant with the same name. */
export function withRendered({ roles, bindings }: Grants, rendered: RenderedGrants): Grants {
  const bound = new Map([...rendered].flatMap(([name, { binding }]) => (binding ? [[name, binding] as const] : [])));
  return {
    roles: [...others(roles, rendered), ...[...rendered.values()].map(({ role }) => role)],
    bindings: [...others(bindings, bound), ...bound.values()],
  };
}

function* others<Named extends RoleView | RoleBindingView>(
  live: Iterable<Named>,
  rendered: ReadonlyMap<string, unknown>,
): Generator<Named> {
  for (const one of live) if (one.namespace !== undefined || !rendered.has(one.name)) yield one;
}

const grantOf = perObject((policy: ResolvedPolicy): RenderedGrant => {
  const { usableBy, subjects } = policy;
  const name = useRoleName(policy.name);
  const role = { name, rules: renderGrant(policy, '', '').role.rules as RoleView['rules'] };
  if (usableBy !== 'Subjects') return { role };
  return { role, binding: { name, role: { kind: 'ClusterRole', name }, subjects: subjects.map(subjectOf) } };
});

function subjectOf({ kind, name, namespace }: ResolvedPolicy['subjects'][number]): RbacSubject {
  return { kind, name, ...(kind === 'ServiceAccount' && namespace !== undefined && { namespace }) };
}
