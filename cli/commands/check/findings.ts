/** Warns about policies without effect, and about rollouts that cannot end. Only policies in files get warnings. */
import { findingText } from '../../../analysis/compare/finding.ts';
import { findingsOf } from '../../../analysis/compare/findings.ts';
import { policySetOf } from '../../../analysis/compare/policy-set.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { type PolicyContext, placeOfSource } from '../../../analysis/policies/context.ts';

/**
 * The command `check` reports only findings that need no proof about all possible pods. An example is two policies with
 * the same rules. `cappol compare` may run longer than `check`, so `cappol compare` reports more findings.
 */
export const LIMITS = { limit: 0, samples: 5_000 };

export function tellFindings(context: PolicyContext, at: number, tell: (trouble: Trouble) => void): void {
  const { findings } = findingsOf(policySetOf(context), { at, ...LIMITS });
  for (const finding of findings) {
    const source = context.sources.get(finding.policy);
    // A policy without a source is a policy of the cluster. The user did not ask about the policies of the cluster.
    if (!source) continue;
    tell({ ...placeOfSource(source), message: findingText(finding), severity: 'warning' });
  }
}
