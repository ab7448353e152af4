/** Verdicts → the number of violating workloads, by policy, namespace, rule and mode, for /metrics. */
import type { NamespaceJudgement } from '../evaluate/namespace.ts';

interface ViolationCount {
  readonly policy: string;
  readonly namespace: string;
  readonly rule: string;
  readonly mode: string;
  readonly workloads: number;
}

export function* violationCounts(judgements: Iterable<NamespaceJudgement>): Generator<ViolationCount> {
  for (const { namespace, modes } of judgements) {
    for (const [mode, { workloads }] of Object.entries(modes)) {
      const counts = new Map<string, { policy: string; rule: string; workloads: number }>();
      for (const { violations } of workloads.filter(({ verdict }) => verdict === 'Violating')) {
        for (const [policy, all] of Object.entries(violations)) {
          for (const rule of new Set(all.map((one) => one.rule))) {
            const key = `${policy}\n${rule}`;
            const count = counts.get(key) ?? { policy, rule, workloads: 0 };
            counts.set(key, { ...count, workloads: count.workloads + 1 });
          }
        }
      }
      for (const count of counts.values()) yield { ...count, namespace, mode };
    }
  }
}
