/** Makes the JSON and YAML output of a comparison. docs/reference/compare.schema.json describes the output. */
import type { Difference, Undecided } from '../../../analysis/compare/compare.ts';
import type { NamedComparison } from '../../../analysis/compare/sentences.ts';
import { manifestOf } from '../../../analysis/compare/witness.ts';
import type { History } from '../../../analysis/history/history.ts';
import { type PodVerdict, violationsBy } from '../../../operator/evaluate/verdict.ts';

/** The data that the printers of all formats need. */
export interface Printed extends NamedComparison {
  /** The changes in the cluster. The changes exist only if both sets of policies are snapshots of the same cluster. */
  readonly history?: History;
  /** Whether to print all lines of long lists. By default, long lists are cut. */
  readonly all?: boolean;
}

/** The comparison as plain data. */
export function documentOf({ old, new: now, comparison, history }: Printed) {
  const { same, opens, closes, undecided, classes } = comparison;
  return {
    old,
    new: now,
    same,
    classes,
    opens: opens.map(differenceOf),
    closes: closes.map(differenceOf),
    undecided: undecided.map(undecidedOf),
    history: history ?? null,
  };
}

/** A difference as plain data. */
export function differenceOf({ namespace, use, rules, pod, before, after, causes }: Difference) {
  return {
    namespace: { labels: namespace },
    use,
    rules,
    pod: manifestOf(pod),
    before: verdictOf(before),
    after: verdictOf(after),
    causes,
  };
}

/** A question that the comparison could not decide, as plain data. */
export function undecidedOf({ namespace, use, direction, message }: Undecided) {
  return {
    namespace: namespace ? { labels: namespace } : null,
    use: use ?? null,
    direction: direction ?? null,
    message,
  };
}

function verdictOf(verdict: PodVerdict) {
  const { admittedBy, violations } = verdict;
  return {
    admitted: verdict.verdict === 'Compliant',
    policy: admittedBy ?? null,
    violations: Object.keys(violations).flatMap((policy) =>
      violationsBy(policy, violations).map(({ rule, container, message }) => ({
        policy,
        rule,
        container: container ?? null,
        message,
      })),
    ),
  };
}
