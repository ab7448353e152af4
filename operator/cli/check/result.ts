/** What `check` finds, as `-o json` prints it: docs/reference/check.schema.json describes it. */
import type { Mode } from '../../api/capability-policy.ts';
import type { Verdict } from '../../evaluate/verdict.ts';

/** NotSelected: no policy decides in the namespace, or the object makes no pods. */
export type ItemVerdict = Verdict | 'NotSelected';

/** Something judged: an object of a file, or a workload of a cluster, which has no file. */
export interface CheckedItem {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly verdict: ItemVerdict;
  readonly violations: readonly CheckedViolation[];
  /** Advice; nothing is refused for it. */
  readonly findings: readonly CheckedFinding[];
}

/** Of several policies that decide, one has to be satisfied. */
export interface CheckedViolation {
  readonly policy: string;
  readonly rule: string;
  readonly container: string | null;
  /** What is wrong, and what would be accepted. */
  readonly message: string;
  /** Of the object: `spec.template.spec.containers[0].securityContext`. */
  readonly path: string;
  /** Of the field, or of the nearest one around it that is there. */
  readonly line: number | null;
}

export interface CheckedFinding {
  readonly reason: string;
  readonly container: string | null;
  readonly message: string;
  readonly path: string;
  readonly line: number | null;
}

/** A policy by which was judged, whether or not it decided anything. */
export interface CheckedPolicy {
  readonly name: string;
  readonly mode: Mode;
  readonly priority: number;
  readonly level: string;
  /** `v1.36`: what `latest` means here is worked out. */
  readonly version: string;
  /** Where it was read; null of one that is live. */
  readonly file: string | null;
  readonly line: number | null;
}

export interface Summary {
  readonly items: number;
  readonly compliant: number;
  readonly violating: number;
  readonly unknown: number;
  readonly notSelected: number;
  readonly violations: number;
  readonly findings: number;
  /** Objects that make no pods: services, custom resources. */
  readonly skipped: number;
  /** What could not be read or judged; told on standard error. */
  readonly errors: number;
}

export class Tally {
  readonly #counts = { items: 0, violations: 0, findings: 0, skipped: 0 };
  readonly #verdicts: Record<ItemVerdict, number> = { Compliant: 0, Violating: 0, Unknown: 0, NotSelected: 0 };

  item({ verdict, violations, findings }: CheckedItem): void {
    this.#counts.items += 1;
    this.#verdicts[verdict] += 1;
    this.#counts.violations += violations.length;
    this.#counts.findings += findings.length;
  }

  skip(): void {
    this.#counts.skipped += 1;
  }

  get items(): number {
    return this.#counts.items;
  }

  summary(errors: number): Summary {
    const { items, ...counts } = this.#counts;
    const { Compliant: compliant, Violating: violating, Unknown: unknown, NotSelected: notSelected } = this.#verdicts;
    return { items, compliant, violating, unknown, notSelected, ...counts, errors };
  }
}
