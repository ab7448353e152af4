/** A comparison as JSON and YAML; docs/reference/compare.schema.json describes it. */
import type { Difference, Undecided } from '../../../analysis/compare/compare.ts';
import type { Printed } from '../../../analysis/compare/sentences.ts';
import { manifestOf } from '../../../analysis/compare/witness.ts';
import { type PodVerdict, violationsBy } from '../../../operator/evaluate/verdict.ts';

/** The comparison as plain data. */
export function documentOf({ old, new: now, comparison }: Printed) {
  const { same, opens, closes, undecided, classes } = comparison;
  return {
    old,
    new: now,
    same,
    classes,
    opens: opens.map(differenceOf),
    closes: closes.map(differenceOf),
    undecided: undecided.map(undecidedOf),
  };
}

function differenceOf({ namespace, use, rules, pod, before, after }: Difference) {
  return {
    namespace: { labels: namespace },
    use,
    rules,
    pod: manifestOf(pod),
    before: verdictOf(before),
    after: verdictOf(after),
  };
}

function undecidedOf({ namespace, use, direction, message }: Undecided) {
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
