/** Warns about policies that loosen a policy with a rollout. Only policies that everybody may use are considered. */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { type PolicyContext, placeOfSource } from '../../../analysis/policies/context.ts';
import { looseningText } from '../../../operator/report/loosening.ts';

export function tellLoosenings(context: PolicyContext, tell: (trouble: Trouble) => void): void {
  for (const [name, loosenings] of context.loosenings()) {
    const place = placeOfSource(context.sources.get(name));
    for (const loosening of loosenings) {
      const message = `CapabilityPolicy ${name}: ${looseningText(loosening)}`;
      tell({ ...place, message, severity: 'warning' });
    }
  }
}
