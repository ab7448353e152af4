/** Warns about policies without effect, and about rollouts that cannot end. Only policies in files get warnings. */
import { findingText } from '../../../analysis/compare/finding.ts';
import { findingsOf } from '../../../analysis/compare/findings.ts';
import { policySetOf } from '../../../analysis/compare/policy-set.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { type PolicyContext, placeOfSource } from '../../../analysis/policies/context.ts';

/**
 * The command `check` finds only what can be found without a proof about all pods, such as policies with the same
 * rules. `cappol compare` may run longer, so it finds more.
 */
export const LIMITS = { limit: 0, samples: 5_000 };

export function tellFindings(context: PolicyContext, at: number, tell: (trouble: Trouble) => void): void {
  const { findings } = findingsOf(policySetOf(context), { at, ...LIMITS });
  for (const finding of findings) {
    const source = context.sources.get(finding.policy);
    // A policy without a source is a policy of the cluster. The user did not ask about such a policy.
    if (!source) continue;
    tell({ ...placeOfSource(source), message: findingText(finding), severity: 'warning' });
  }
}
