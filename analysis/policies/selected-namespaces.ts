/**
 * Lists the namespaces that a policy selects. If the policy does not decide in a namespace, the list gives the reason.
 */
import type { Mode } from '../../operator/api/capability-policy.ts';
import { deciding, isExcluded } from '../../operator/policy/deciding.ts';
import { isPendingPart } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { type Labels, matches } from '../../operator/policy/selector.ts';

/** A namespace that a policy selects. */
export interface SelectedNamespace {
  readonly namespace: string;
  /** The mode of the policy's part that selects the namespace. */
  readonly mode: Mode;
  /** Whether the rollout of the policy has not reached the namespace yet. */
  readonly pending: boolean;
  readonly role: Role;
}

export type Role =
  /** No other policy with the same priority decides in the namespace. */
  | { readonly name: 'Decides'; readonly over: readonly Other[] }
  /**
   * Several policies with the same priority decide in the namespace. A pod must satisfy at least one of the deciding
   * policies.
   */
  | { readonly name: 'Shares'; readonly with: readonly Other[]; readonly over: readonly Other[] }
  | { readonly name: 'Overridden'; readonly by: readonly Other[] }
  /** The namespace is being deleted, so nothing can be created in it. */
  | { readonly name: 'Terminating' }
  /** No policy reaches the namespace. */
  | { readonly name: 'Excluded' };

/** Another policy of the same mode that selects the namespace. */
export interface Other {
  readonly policy: string;
  readonly priority: number;
}

interface NamespaceFacts {
  readonly name: string;
  readonly terminating: boolean;
  readonly labels: Labels;
}

interface Surroundings {
  readonly namespaces: Iterable<NamespaceFacts>;
  /** The patterns of the namespaces that no policy reaches. */
  readonly excluded: readonly string[];
  /** The policies in force that select the namespace. The list is empty for an excluded namespace. */
  selecting(namespace: string): readonly ResolvedPolicy[];
}

/** The namespaces that a policy selects, in the given order. @param parts the parts of one policy */
export function selectedNamespaces(parts: readonly ResolvedPolicy[], around: Surroundings): SelectedNamespace[] {
  return [...around.namespaces].flatMap((namespace) => {
    const { name, terminating, labels } = namespace;
    const part = parts.find(({ selector }) => matches(selector, labels));
    if (!part) return [];
    const unreached = isExcluded(name, around.excluded) ? 'Excluded' : terminating ? 'Terminating' : undefined;
    const role: Role = unreached ? { name: unreached } : roleOf(part, around.selecting(name), labels);
    return [{ namespace: name, mode: part.mode, pending: isPendingPart(part.id), role }];
  });
}

/** @param selecting all policies that select the namespace, including `policy` */
function roleOf(policy: ResolvedPolicy, selecting: readonly ResolvedPolicy[], labels: Labels): Role {
  const others = selecting.filter((other) => other.mode === policy.mode && other.id !== policy.id);
  const deciders = deciding([policy, ...others], policy.mode, labels);
  const named = (some: readonly ResolvedPolicy[]): Other[] =>
    some.map(({ name, priority }) => ({ policy: name, priority }));
  if (!deciders.includes(policy)) return { name: 'Overridden', by: named(deciders) };
  const over = named(others.filter((other) => !deciders.includes(other)));
  const sharing = named(deciders.filter((other) => other !== policy));
  return sharing.length > 0 ? { name: 'Shares', with: sharing, over } : { name: 'Decides', over };
}
