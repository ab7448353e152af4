/** An item as people see it: its violations, each once, and advice. */
import type { FindingReason } from '../../../../operator/evaluate/findings.ts';
import { type MergedViolation, type Modes, mergeViolations, modesOf, policiesText } from '../../../output/merged.ts';
import { type Outcome, outcomeOf } from '../../../output/outcome.ts';
import type {
  CheckedFinding,
  CheckedItem,
  CheckedPolicy,
  CheckedViolation,
  NotSelectedReason,
  Summary,
} from '../result.ts';
import type { Sum } from './summary-text.ts';

/** Nearly every container that level restricted would refuse has this finding, so notes on it would hide all others. */
const ONLY_WIDE: FindingReason = 'HeldByRuntimeDefault';

export interface Shown {
  readonly item: CheckedItem;
  readonly violations: readonly ShownViolation[];
  readonly findings: readonly CheckedFinding[];
  /** How many findings are not shown. */
  readonly hidden: number;
}

interface ShownViolation extends MergedViolation<CheckedViolation> {
  readonly outcome: Outcome;
}

/** Prepares items for people, and counts for the summary what only people see. */
export class ShownItems {
  /** Whether to show all findings. */
  readonly #wide: boolean;
  #modes: Modes = new Map();
  #violations = 0;
  #hidden = 0;

  constructor(wide: boolean) {
    this.#wide = wide;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#modes = modesOf(policies);
  }

  add(item: CheckedItem): Shown {
    const shown = shownOf(item, this.#modes, this.#wide);
    this.#violations += shown.violations.length;
    this.#hidden += shown.hidden;
    return shown;
  }

  sum(summary: Summary): Sum {
    return { ...summary, policies: this.#modes.size, merged: this.#violations, hidden: this.#hidden };
  }
}

function shownOf(item: CheckedItem, modes: Modes, wide: boolean): Shown {
  const findings = item.findings.filter(({ reason }) => wide || reason !== ONLY_WIDE);
  return {
    item,
    violations: mergeViolations(item.violations, modes).map((one) => ({
      ...one,
      outcome: item.verdict === 'Unknown' ? 'Unknown' : outcomeOf(one.mode),
    })),
    findings,
    hidden: item.findings.length - findings.length,
  };
}

/** The API server's message, with the names of all policies that it comes from. */
export function violationText(violation: ShownViolation): string {
  const { first, message, policies } = violation;
  const kind = policies.length === 1 ? 'CapabilityPolicy' : 'CapabilityPolicies';
  return `${kind} ${policiesText(violation)}: ${first.rule}: ${message}`;
}

/** Only a refusal is an error. */
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
