/** Writes the summary of a check as text. */
import type { Summary } from '../../../../analysis/check/result.ts';
import { counted } from '../../../../operator/text/wording.ts';
import { coverageLines } from '../coverage-text.ts';
import type { Totals } from './shown.ts';

/**
 * The lines of the summary. The first line is `3 workloads evaluated against 1 policy: …`, and each further note has
 * its own line.
 */
export function summaryLines(summary: Summary, { policies, merged, hidden, scope, asked }: Totals): string[] {
  const { items, compliant, violating, unknown, notSelected, excluded, skipped, errors } = summary;
  const parts = [
    `${compliant} compliant`,
    `${violating} violating${violating > 0 ? ` (${counted(merged, 'violation')})` : ''}`,
    ...(unknown > 0 ? [asked ? `${unknown} unknown` : `${unknown} unknown: it depends on who creates the pod`] : []),
    ...(notSelected > excluded ? [`${notSelected - excluded} that no policy decides about`] : []),
    ...(excluded > 0 ? [`${excluded} in excluded namespaces`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'other object')} left out`] : []),
    ...(errors > 0 ? [counted(errors, 'error')] : []),
  ];
  return [
    `${counted(items, 'workload')}${scope === undefined ? '' : ` in ${scope}`} evaluated against ${counted(policies, 'policy')}: ${parts.join(', ')}`,
    ...(items > excluded && notSelected === items
      ? [
          'Policies select namespaces by labels: add the Namespace to the manifests, or write its labels after --namespace-labels',
        ]
      : []),
    ...coverageLines(summary),
    ...(hidden > 0 ? [`${counted(hidden, 'note')} on capabilities held by default: -o wide shows them`] : []),
  ];
}
