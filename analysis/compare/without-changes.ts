import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Check } from '../../operator/rules/rule.ts';

/** The rule ID for the checks of fields that defaulting would fill in. No rule has this ID. */
const FILLS = 'fields to fill in';

/**
 * The policy without defaulting. The result admits only the pods that the original policy admits and would not change.
 * The defaulting program leaves a pod unchanged only if a deciding policy in this form, without defaulting, admits the
 * pod. Compliance alone is not enough to leave the pod unchanged (operator/compile/defaulting-program.ts).
 */
export const withoutChanges = perObject((policy: ResolvedPolicy): ResolvedPolicy => {
  const { pendingFor: _, ...rest } = policy;
  const fills = policy.fills.map(({ over, when }): Check => ({ over, violates: when, message: '""', path: '' }));
  const checks = fills.length === 0 ? policy.checks : [...policy.checks, { rule: FILLS, checks: fills }];
  return { ...rest, defaulting: false, seccompChanges: false, fills: [], checks, filledChecks: checks };
});
