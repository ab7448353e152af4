/**
 * Splits a policy with `spec.rollout` into two parts. The pending part warns or audits in namespaces where the policy
 * is not enforced yet. The enforced part refuses in all other namespaces. A label of the namespace decides which part
 * applies to the namespace. The callers of this file handle the two parts like two ordinary policies.
 */
import { type LabelSelector, NAME_LABEL, ROLLOUT_LABEL_PREFIX, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { perObject } from './memo.ts';
import type { ResolvedPolicy } from './resolve.ts';

/** The progress of a rollout, with only the fields that the compiler needs. */
export interface Stage {
  /**
   * Whether the rollout has begun. The value is false while the operator labels the first namespaces. While the
   * operator labels the first namespaces, the enforced part must not exist.
   */
  readonly begun: boolean;
  /**
   * The operator has labelled all namespaces that this selector selects. If the operator has labelled the namespaces of
   * several selectors, the field has the newest selector. The default is the policy's own selector.
   */
  readonly selector?: LabelSelector;
  /** The pending namespaces that do not have the label. The enforced part excludes these namespaces by name. */
  readonly leftOut?: readonly string[];
}

/** The parts of a policy, in the form that is compiled. */
export type Parts = readonly ResolvedPolicy[];

/**
 * The suffix of the ID of a pending part. With the suffix, the ID is unique, because no policy's name contains a slash.
 */
const PENDING_ID = '/pending';

/** The key of the label on namespaces where the policy is pending. */
export function rolloutLabel(policy: string): string {
  return `${ROLLOUT_LABEL_PREFIX}${policy}`;
}

/** Returns the name of the policy whose rollout has this label. The function is the inverse of `rolloutLabel`. */
export function policyOfLabel(label: string): string {
  return label.slice(ROLLOUT_LABEL_PREFIX.length);
}

/** Returns the policy's name from the ID of a resolved policy. */
export function policyNameOf(id: string): string {
  return isPendingPart(id) ? id.slice(0, -PENDING_ID.length) : id;
}

export function isPendingPart(id: string): boolean {
  return id.endsWith(PENDING_ID);
}

export function pendingPartOf(policy: string): string {
  return `${policy}${PENDING_ID}`;
}

/**
 * Returns the parts of a policy. The enforced part comes first. A policy without `rollout`, or with another mode than
 * Enforce, has one part: the policy itself.
 */
export function partsOf(policy: ResolvedPolicy, { begun, leftOut = [] }: Stage): Parts {
  const { enforced, pending } = leftOut.length > 0 && begun ? withoutNames(policy, leftOut) : bothParts(policy);
  if (!pending) return [enforced];
  return begun ? [enforced, pending] : [pending];
}

/**
 * Whether the policy also evaluates pods after defaulting. The result is true if the policy fills in fields now, or
 * will fill in fields when its namespaces are promoted. A pod that the enforced part would admit needs no warning.
 */
export function evaluatesFilled({
  defaulting,
  pendingFor,
}: Pick<ResolvedPolicy, 'defaulting' | 'pendingFor'>): boolean {
  return defaulting || pendingFor?.defaulting === true;
}

interface BothParts {
  readonly enforced: ResolvedPolicy;
  readonly pending?: ResolvedPolicy;
}

/**
 * The two parts of a policy. The function always returns the same objects for a policy, so that compiled results can be
 * reused.
 */
const bothParts = perObject((policy: ResolvedPolicy): BothParts => {
  const { name, selector, meanwhile, mode } = policy;
  if (!meanwhile || mode !== 'Enforce') return { enforced: policy };
  const enforced = { ...policy, selector: withLabel(selector, name, 'NotIn') };
  const pending: ResolvedPolicy = {
    ...policy,
    id: pendingPartOf(name),
    selector: withLabel(selector, name, 'In'),
    mode: meanwhile,
    // A policy of another mode than Enforce has no defaulting.
    defaulting: false,
    seccompChanges: false,
    fills: [],
    ...(policy.defaulting && { podSecurityLabels: 'Off' as const }),
    pendingFor: enforced,
  };
  return { enforced, pending };
});

/**
 * The result of the last call. The result has the names of the namespaces that the enforced part leaves out, and the
 * parts of the policy.
 */
const lastLeftOut = perObject((_: ResolvedPolicy): { names: string; parts?: BothParts } => ({ names: '' }));

function withoutNames(policy: ResolvedPolicy, leftOut: readonly string[]): BothParts {
  const last = lastLeftOut(policy);
  const names = leftOut.join();
  if (last.parts && last.names === names) return last.parts;
  const { enforced: everywhere, pending } = bothParts(policy);
  if (!pending) return { enforced: everywhere };
  const condition = { key: NAME_LABEL, operator: 'NotIn' as const, values: [...leftOut] };
  const { selector } = everywhere;
  const enforced = {
    ...everywhere,
    selector: { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), condition] },
  };
  last.names = names;
  last.parts = { enforced, pending };
  return last.parts;
}

/** Splits the selector of a part into the label of the rollout and the policy's own selector. */
export const splitSelector = perObject(
  (selector: LabelSelector): { readonly own: LabelSelector; readonly label?: string } => {
    const { matchExpressions = [] } = selector;
    const label = matchExpressions.find(({ key }) => key.startsWith(ROLLOUT_LABEL_PREFIX))?.key;
    if (label === undefined) return { own: selector };
    return { own: { ...selector, matchExpressions: matchExpressions.filter(({ key }) => key !== label) }, label };
  },
);

/** The namespaces of the selector in which the policy is pending (`In`) or not pending (`NotIn`). */
export function withLabel(selector: LabelSelector, policy: string, operator: 'In' | 'NotIn'): LabelSelector {
  const condition = { key: rolloutLabel(policy), operator, values: [ROLLOUT_PENDING] };
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), condition] };
}
