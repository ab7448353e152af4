/** Warns about policies of files that have no effect, and about rollouts that cannot end. */
import { findingText } from '../../../analysis/compare/finding.ts';
import { findingsOf } from '../../../analysis/compare/findings.ts';
import { policySetOf } from '../../../analysis/compare/policy-set.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { type PolicyContext, placeOfSource } from '../../../analysis/policies/context.ts';

/**
 * Check finds only what needs no proof about all pods, such as policies with the same rules. `cappol compare` has more
 * time.
 */
export const LIMITS = { limit: 0, samples: 5_000 };

export function tellFindings(context: PolicyContext, at: number, tell: (trouble: Trouble) => void): void {
  const { findings } = findingsOf(policySetOf(context), { at, ...LIMITS });
  for (const finding of findings) {
    const source = context.sources.get(finding.policy);
    // Nobody asked about the policies of the cluster.
    if (!source) continue;
    tell({ ...placeOfSource(source), message: findingText(finding), severity: 'warning' });
  }
}
