/** The edits of `fix`, and what they leave, as `-o json` prints them: docs/reference/fix.schema.json describes them. */
import type { FixClass } from '../../operator/rules/rule.ts';
import type { CheckedPolicy, CheckedProblem, NotEvaluated } from '../check/result.ts';

/** The object that somebody wrote. */
interface InObject {
  readonly file: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface FixEdit extends InObject {
  readonly class: FixClass;
  /** In the object: `spec.template.spec.containers[0].securityContext.privileged`. */
  readonly path: string;
  /** The line of the field, or of the nearest existing field around it, before the edit. */
  readonly line: number;
  /** Null: the field was not set. */
  readonly before: unknown;
  /** Null: the field is removed. */
  readonly after: unknown;
  /** Null: the evidence of --used asks for it. */
  readonly policy: string | null;
  readonly rule: string;
  readonly container: string | null;
  /** The violation that the edit ends. */
  readonly reason: string;
  /** For people: what may stop working. */
  readonly risk: string;
}

/** A violation that is left. */
export interface LeftViolation extends InObject {
  /** Null: the evidence of --used asks for it. */
  readonly policy: string | null;
  readonly rule: string;
  readonly container: string | null;
  readonly message: string;
  readonly path: string;
  readonly line: number;
  /** Why no edit ends it. */
  readonly why: string;
}

/** Something to know about an edit of a file: an alias that is written out now. */
export interface FixNote {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface FixSummary {
  readonly workloads: number;
  /** How many of these no policy decides about. */
  readonly notSelected: number;
  /** Workloads that violate policies as they are. */
  readonly violating: number;
  /** How many of these comply after the edits. */
  readonly fixed: number;
  readonly edits: number;
  readonly spelling: number;
  readonly safe: number;
  readonly check: number;
  readonly left: number;
  /** Files with edits. */
  readonly files: number;
  /** Objects that may make pods but have no pod template that could be evaluated, by kind. */
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
