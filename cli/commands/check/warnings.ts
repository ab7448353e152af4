/**
 * Warns about policies in files. The warnings are about policies that loosen other policies, policies without effect,
 * and rollouts that cannot end.
 */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { PolicyContext } from '../../../analysis/policies/context.ts';
import { tellFindings } from './findings.ts';
import { tellLoosenings } from './loosenings.ts';

export function tellAboutPolicies(context: PolicyContext, at: number, tell: (trouble: Trouble) => void): void {
  tellLoosenings(context, tell);
  tellFindings(context, at, tell);
}
