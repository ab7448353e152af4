/**
 * The result of `fix`: the edits, and the violations that remain after the edits. `-o json` prints the result in this
 * form, and docs/reference/fix.schema.json describes the form.
 */
import type { FixClass } from '../../operator/rules/rule.ts';
import type { CheckedPolicy, CheckedProblem, NotEvaluated } from '../check/result.ts';

/** The object that an entry is about, and the object's file. */
interface InObject {
  readonly file: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface FixEdit extends InObject {
  readonly class: FixClass;
  /** The path of the field in the object: `spec.template.spec.containers[0].securityContext.privileged`. */
  readonly path: string;
  /**
   * The line of the field before the edit. If the field is absent, the value is the line of the field's nearest
   * existing parent.
   */
  readonly line: number;
  /** The value before the edit; null if the field was not set. */
  readonly before: unknown;
  /** The value after the edit; null if the field is removed. */
  readonly after: unknown;
  /** The policy that requires the edit; null if the evidence of --used is the reason. */
  readonly policy: string | null;
  readonly rule: string;
  readonly container: string | null;
  /** The violation that the edit ends. */
  readonly reason: string;
  /** The risk of the edit as a text for users. The text names what may stop working. */
  readonly risk: string;
}

/** A violation that no edit ends. */
export interface LeftViolation extends InObject {
  /** The violated policy; null if the violation is about the evidence of --used. */
  readonly policy: string | null;
  readonly rule: string;
  readonly container: string | null;
  readonly message: string;
  readonly path: string;
  readonly line: number;
  /** The reason why no edit ends the violation. */
  readonly why: string;
}

/** A remark on an edit of a file, such as an alias that was replaced by its value. */
export interface FixNote {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface FixSummary {
  readonly workloads: number;
  /** The number of workloads about which no policy decides. */
  readonly notSelected: number;
  /** The number of workloads that violate policies before the edits. */
  readonly violating: number;
  /** The number of violating workloads that comply after the edits. */
  readonly fixed: number;
  readonly edits: number;
  readonly spelling: number;
  readonly safe: number;
  readonly check: number;
  readonly left: number;
  /** The number of files that have edits. */
  readonly files: number;
  /** Objects that may make pods, but have no pod template that could be evaluated. Each kind has one entry. */
  readonly notEvaluated: readonly NotEvaluated[];
  readonly errors: number;
}

export interface FixResult {
  readonly policies: readonly CheckedPolicy[];
  readonly edits: readonly FixEdit[];
  readonly left: readonly LeftViolation[];
  readonly notes: readonly FixNote[];
  readonly problems: readonly CheckedProblem[];
  readonly summary: FixSummary;
}
