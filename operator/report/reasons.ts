/**
 * The reasons of conditions and Events: stable words for machines. Accepted=False has the refusal's own
 * (operator/policy/resolve.ts).
 */

/** Accepted: compiled. */
export const ACCEPTED = 'Compiled';
/** Programmed and Ready: not accepted, so nothing of this generation is written. */
export const NOT_ACCEPTED = 'NotAccepted';
/** Programmed and Ready: nothing was written yet. */
export const PENDING = 'Pending';
/** Programmed and Ready: written or being written, and not yet seen on every API server. */
export const ROLLING_OUT = 'RollingOut';
/** Programmed and Ready: every API server that answers was seen to judge by the newest ruleset. */
export const IN_FORCE = 'InForce';
/** Programmed and Ready: an API server refused something that was to be written. */
export const APPLY_FAILED = 'ApplyFailed';
/** Compliant: no workload violates the policy. */
export const NO_VIOLATION = 'NoViolation';
/** Compliant: some workload violates it. Events on a workload and on the policy: it began to. */
export const WORKLOAD_VIOLATES = 'WorkloadViolates';
/**
 * Events on a workload and on the policy: the workload violates an Audit or Warn policy, and an Enforce policy admits
 * it.
 */
export const EXCEPTION_ADMITS = 'ExceptionAdmits';
/** Compliant is Unknown: no workload violates, but some are too expensive to evaluate. */
export const EVALUATION_TOO_EXPENSIVE = 'EvaluationTooExpensive';
/** Compliant: not every namespace has been looked at. */
export const NOT_EVALUATED = 'NotEvaluated';
/** LabelConflict: a Pod Security label that somebody else set is left alone. */
export const FOREIGN_LABEL = 'ForeignLabel';
/** Event on the policy, or on the object when it is nobody's alone: somebody changed or deleted it, and it is back. */
export const DRIFT_REPAIRED = 'DriftRepaired';
/** Events on a workload and on the policy: it no longer does, or is gone. */
export const VIOLATION_ENDED = 'ViolationEnded';
