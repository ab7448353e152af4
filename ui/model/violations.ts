/** Counts the violations of a snapshot. The counts are the same as in `cappol status`. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { Mode } from '../../operator/api/capability-policy.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { severityRank } from '../../operator/rules/severity.ts';

/**
 * The number of workloads that violate policies, for each mode. Each workload counts once, in the strictest mode in
 * which the workload violates a policy.
 */
export interface ByMode extends Readonly<Record<Mode, number>> {
  readonly total: number;
}

export interface ViolationCounts {
  readonly all: ByMode;
  /** The number of namespaces in which a workload violates a policy. */
  readonly namespaces: number;
  /** The rules, sorted by the number of violating workloads. */
  readonly byRule: readonly { readonly rule: string; readonly workloads: ByMode }[];
  /** The namespaces in which a workload violates a policy, sorted by the number of violating workloads. */
  readonly byNamespace: readonly { readonly namespace: string; readonly workloads: ByMode }[];
}

export function countViolations({ namespaces, violations: texts }: Snapshot): ViolationCounts {
  const rules = new Map<string, Counter>();
  const all = new Counter();
  const byNamespace: { namespace: string; workloads: ByMode }[] = [];
  for (const { name, verdicts } of namespaces) {
    const own = new Counter();
    const strictest = new Map<string, Mode>();
    const modesOfRule = new Map<string, Map<string, Mode>>();
    for (const { mode, kind, name: workload, verdict, violations = {} } of verdicts) {
      if (verdict !== 'Violating') continue;
      const key = `${kind}/${workload}`;
      setStrictest(strictest, key, mode);
      for (const index of Object.values(violations).flat()) {
        const { rule = '' } = texts[index] ?? {};
        const ofRule = modesOfRule.get(rule) ?? new Map<string, Mode>();
        setStrictest(ofRule, key, mode);
        modesOfRule.set(rule, ofRule);
      }
    }
    for (const mode of strictest.values()) {
      own.add(mode);
      all.add(mode);
    }
    for (const [rule, modes] of modesOfRule) {
      const counter = rules.get(rule) ?? new Counter();
      for (const mode of modes.values()) counter.add(mode);
      rules.set(rule, counter);
    }
    if (own.total > 0) byNamespace.push({ namespace: name, workloads: own.counts });
  }
  return {
    all: all.counts,
    namespaces: byNamespace.length,
    byRule: [...rules]
      .map(([rule, counter]) => ({ rule, workloads: counter.counts }))
      .sort((a, b) => b.workloads.total - a.workloads.total || severityRank(a.rule) - severityRank(b.rule)),
    byNamespace: byNamespace.sort((a, b) => b.workloads.total - a.workloads.total || byText(a.namespace, b.namespace)),
  };
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function setStrictest(modes: Map<string, Mode>, key: string, mode: Mode): void {
  const before = modes.get(key);
  if (before === undefined || MODES.indexOf(mode) < MODES.indexOf(before)) modes.set(key, mode);
}

class Counter {
  readonly #counts: Record<Mode, number> = { Enforce: 0, Warn: 0, Audit: 0 };

  add(mode: Mode): void {
    this.#counts[mode]++;
  }

  get total(): number {
    return MODES.reduce((sum, mode) => sum + this.#counts[mode], 0);
  }

  get counts(): ByMode {
    return { ...this.#counts, total: this.total };
  }
}
