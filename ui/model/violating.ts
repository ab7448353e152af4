/** Lists the workloads that violate policies, with one row for each workload and mode. */
import { type Effect, effectOf } from '../../analysis/check/effect.ts';
import { mergeViolations } from '../../analysis/check/merged.ts';
import type { Snapshot, SnapshotVerdict } from '../../analysis/snapshot/document.ts';
import type { Mode } from '../../operator/api/capability-policy.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { severityRank } from '../../operator/rules/severity.ts';
import { counted } from '../../operator/text/wording.ts';
import { byText } from './violations.ts';

export interface ViolatingRow {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly mode: Mode;
  readonly verdict: 'Violating' | 'Unknown';
  /** The effect of admission on new pods of the workload. */
  readonly effect: Effect;
  /** The number of the workload's pods that violate policies now. */
  readonly pods: number;
  readonly policies: readonly string[];
  /** The rules that the workload violates, the worst rule first. */
  readonly rules: readonly string[];
  readonly of: SnapshotVerdict;
}

export function violatingRows({ namespaces, violations }: Snapshot): ViolatingRow[] {
  const rulesOf = remembered((indexes: string) => {
    const rules = new Set(indexes.split(',').map((index) => violations[Number(index)]?.rule ?? ''));
    return [...rules].sort((a, b) => severityRank(a) - severityRank(b));
  });
  return namespaces.flatMap(({ name: namespace, verdicts }) =>
    verdicts.flatMap((of): ViolatingRow[] => {
      const { mode, kind, name, verdict, pods, violations: broken = {} } = of;
      if (verdict === 'Compliant') return [];
      const effect = verdict === 'Unknown' ? 'Unknown' : effectOf(mode);
      const rules = rulesOf(Object.values(broken).flat().join(','));
      return [{ namespace, kind, name, mode, verdict, effect, pods, policies: Object.keys(broken), rules, of }];
    }),
  );
}

/**
 * Returns a function that caches the result of `make` for each key. Thousands of workloads violate the same rules. The
 * rows of these workloads share one list.
 */
function remembered<Result>(make: (key: string) => Result): (key: string) => Result {
  const known = new Map<string, Result>();
  return (key) => {
    const result = known.get(key) ?? make(key);
    known.set(key, result);
    return result;
  };
}

/** A filter of the rows. An empty text filters nothing. */
export interface ViolatingFilter {
  readonly namespace: string;
  readonly policy: string;
  readonly rule: string;
  /** The effect of the rows to show, such as `Refused`. */
  readonly result: string;
  /** The text that the namespace, kind or name must contain. The comparison ignores upper and lower case. */
  readonly text: string;
}

export function filtered(rows: readonly ViolatingRow[], filter: ViolatingFilter): readonly ViolatingRow[] {
  const { namespace, policy, rule, result } = filter;
  const text = filter.text.toLowerCase();
  if (![namespace, policy, rule, result, text].some((value) => value !== '')) return rows;
  return rows.filter(
    (row) =>
      (namespace === '' || row.namespace === namespace) &&
      (result === '' || row.effect === result) &&
      (policy === '' || row.policies.includes(policy)) &&
      (rule === '' || row.rules.includes(rule)) &&
      (text === '' || `${row.namespace}/${row.kind} ${row.name}`.toLowerCase().includes(text)),
  );
}

export const SORTS = ['worst', 'namespace', 'workload', 'mode', 'policy', 'rules', 'pods'] as const;
export type Sort = (typeof SORTS)[number];

type Compare = (a: ViolatingRow, b: ViolatingRow) => number;

const byObject: Compare = (a, b) =>
  byText(a.namespace, b.namespace) || byText(a.kind, b.kind) || byText(a.name, b.name);
const byMode: Compare = (a, b) => MODES.indexOf(a.mode) - MODES.indexOf(b.mode);
const byRule: Compare = (a, b) => severityRank(a.rules[0] ?? '') - severityRank(b.rules[0] ?? '');

/**
 * The comparison for each sort order. If the comparison treats two rows as equal, `sorted` orders the rows by
 * namespace, kind, name and mode.
 */
const COMPARE: Readonly<Record<Sort, Compare>> = {
  worst: (a, b) => byMode(a, b) || byRule(a, b) || b.rules.length - a.rules.length || b.pods - a.pods,
  namespace: () => 0,
  workload: (a, b) => byText(a.name, b.name) || byText(a.kind, b.kind),
  mode: byMode,
  policy: (a, b) => byText(a.policies[0] ?? '', b.policies[0] ?? ''),
  rules: (a, b) => byRule(a, b) || b.rules.length - a.rules.length,
  pods: (a, b) => b.pods - a.pods,
};

/** @param order a name of SORTS, with the prefix `-` for the reverse order. Any other text counts as `worst` */
export function sorted(rows: readonly ViolatingRow[], order: string): readonly ViolatingRow[] {
  const { sort, reverse } = parseOrder(order);
  const sign = reverse ? -1 : 1;
  return rows.toSorted(
    (a, b) => sign * COMPARE[sort](a, b) || (sort === 'namespace' ? sign : 1) * byObject(a, b) || byMode(a, b),
  );
}

export function parseOrder(order: string): { readonly sort: Sort; readonly reverse: boolean } {
  const reverse = order.startsWith('-');
  const name = reverse ? order.slice(1) : order;
  return { sort: SORTS.find((one) => one === name) ?? 'worst', reverse };
}

/** The key of a workload in the address. The page shows the details of this workload. */
export function workloadKey({ namespace, kind, name }: Pick<ViolatingRow, 'namespace' | 'kind' | 'name'>): string {
  return `${namespace}/${kind}/${name}`;
}

const NEW_PODS: Readonly<Record<Mode, string>> = {
  Enforce: 'New pods of the workload are refused.',
  Warn: 'New pods of the workload are created, and the creators see a warning.',
  Audit: 'New pods of the workload are created, and the audit log names the pods.',
};

/** Says in words how the mode affects a workload's new pods and running pods. */
export function effectText({ verdict, mode, pods }: ViolatingRow): string {
  if (verdict === 'Unknown')
    return 'It is unknown whether new pods of the workload are refused: this depends on who creates the pods, or the pods are too expensive to evaluate, or only earlier policies refused them.';
  if (pods === 0) return NEW_PODS[mode];
  const now = `${counted(pods, 'running pod')} ${pods === 1 ? 'violates' : 'violate'} the policy`;
  const stay = mode === 'Enforce' ? '. Admission control does not end running pods' : '';
  return `${NEW_PODS[mode]} ${now}${stay}.`;
}

/** A violation of a workload, with all policies that report the violation. */
export interface BrokenRule {
  readonly rule: string;
  /**
   * The message of the violation. If the policies accept different values, the message lists the accepted values of
   * each policy.
   */
  readonly message: string;
  /** The path of the field, relative to the PodSpec. */
  readonly path: string;
  /** The violated policies. The policies of the strictest mode come first. */
  readonly policies: readonly { readonly name: string; readonly mode: Mode }[];
}

/** Merges equal violations of several policies. @param rows the rows of one workload */
export function brokenBy(rows: readonly ViolatingRow[], { violations }: Pick<Snapshot, 'violations'>): BrokenRule[] {
  const broken = rows.flatMap(({ mode, of }) =>
    Object.entries(of.violations ?? {}).flatMap(([policy, indexes]) =>
      indexes.flatMap((index) => {
        const violation = violations[index];
        return violation ? [{ ...violation, policy, mode }] : [];
      }),
    ),
  );
  return mergeViolations(broken).map(({ first: { rule, path }, message, policies }) => ({
    rule,
    path,
    message,
    policies,
  }));
}
