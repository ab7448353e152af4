/**
 * Prepares a checked item for users. Several policies can report the same violation, but the user gets each violation
 * only once. The user also gets advice.
 */
import type { FindingReason } from '../../../../analysis/capabilities/findings.ts';
import { type Effect, effectOf } from '../../../../analysis/check/effect.ts';
import { type MergedViolation, mergeViolations, policiesText } from '../../../../analysis/check/merged.ts';
import type {
  CheckedFinding,
  CheckedItem,
  CheckedViolation,
  NotSelectedReason,
} from '../../../../analysis/check/result.ts';

/**
 * If the level `restricted` refuses a container, the container nearly always has a finding with the reason
 * `HeldByRuntimeDefault`. Findings with the reason `HeldByRuntimeDefault` would hide all other findings.
 */
const ONLY_WIDE: FindingReason = 'HeldByRuntimeDefault';

export interface Shown {
  readonly item: CheckedItem;
  readonly violations: readonly ShownViolation[];
  readonly findings: readonly CheckedFinding[];
  /** The number of findings that are not shown. */
  readonly hidden: number;
}

interface ShownViolation extends MergedViolation<CheckedViolation> {
  readonly effect: Effect;
}

/** Totals that are printed for users. The machine-readable formats do not contain the totals. */
export interface Totals {
  readonly policies: number;
  /** The number of violations. A violation counts once, even if several policies report it. */
  readonly merged: number;
  /** The number of findings that are not shown. */
  readonly hidden: number;
  /** The evaluated namespaces of a cluster, such as `namespace net`. The value is undefined for files. */
  readonly scope?: string | undefined;
  /** Whether the API server was asked about the workloads by dry run. */
  readonly asked?: boolean;
}

export function shownOf(item: CheckedItem, wide: boolean): Shown {
  const findings = item.findings.filter(({ reason }) => wide || reason !== ONLY_WIDE);
  return {
    item,
    violations: mergeViolations(item.violations).map((one) => ({
      ...one,
      message: withRemark(one, item),
      effect: item.verdict === 'Unknown' ? 'Unknown' : effectOf(one.mode),
    })),
    findings,
    hidden: item.findings.length - findings.length,
  };
}

/** The message, and why the pods of the workload violate policies although its template does not. */
export function withRemark(
  { message, first }: MergedViolation<CheckedViolation>,
  { remark, addedContainers }: Pick<CheckedItem, 'remark' | 'addedContainers'>,
): string {
  const isAbout = addedContainers.length === 0 || addedContainers.includes(first.container ?? '');
  return remark !== null && isAbout ? `${message}; ${remark}` : message;
}

/** The violation in the words of the API server, with the names of all policies that report it. */
export function violationText(violation: ShownViolation): string {
  const { first, message } = violation;
  return `CapabilityPolicy ${policiesText(violation)}: ${first.rule}: ${message}`;
}

/**
 * The severity of the violation. The severity is an error if the workload is refused, and a warning if the workload is
 * not refused.
 */
export function severityOf({ mode }: Pick<ShownViolation, 'mode'>): 'error' | 'warning' {
  return mode === 'Enforce' ? 'error' : 'warning';
}

const NOT_SELECTED: Readonly<Record<NotSelectedReason, string>> = {
  ExcludedNamespace: 'no policy reaches its namespace',
  NoPolicy: 'no policy selects its namespace',
  NoPods: 'makes no pods any more',
};

/** The text for an item without violations. */
export function withoutViolations({ verdict, notSelected }: CheckedItem): {
  readonly result: string;
  readonly message: string;
} {
  if (verdict === 'Compliant') return { result: 'admitted', message: '' };
  return { result: '-', message: NOT_SELECTED[notSelected ?? 'NoPolicy'] };
}
