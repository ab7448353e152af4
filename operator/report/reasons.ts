/**
 * The reasons of conditions and Events: stable identifiers for machines. Accepted=False has the refusal's own reason
 * (operator/policy/resolve.ts).
 */

/** Accepted: the policy was compiled. */
export const ACCEPTED = 'Compiled';
/** Programmed and Ready: the policy is not accepted, so nothing of this generation is written. */
export const NOT_ACCEPTED = 'NotAccepted';
/** Programmed and Ready: nothing has been written for the policy yet. */
export const PENDING = 'Pending';
/** Programmed and Ready: the policy is written or being written, but not yet seen on every API server. */
export const PROGRAMMING = 'Programming';
/** Programmed and Ready: every API server that answers was seen to enforce the newest row of the policy. */
export const IN_FORCE = 'InForce';
/** Programmed and Ready: an API server refused an object that the operator tried to write. */
export const APPLY_FAILED = 'ApplyFailed';
/** Compliant: no workload violates the policy. */
export const NO_VIOLATION = 'NoViolation';
/**
 * Compliant: some workload violates the policy. Events on a workload and on the policy: the workload began to violate
 * the policy.
 */
export const WORKLOAD_VIOLATES = 'WorkloadViolates';
/**
 * Events on a workload and on the policy: the workload violates an Audit or Warn policy, and an Enforce policy admits
 * it.
 */
export const EXCEPTION_ADMITS = 'ExceptionAdmits';
/** Compliant is Unknown: no workload violates, but some are too expensive to evaluate. */
export const EVALUATION_TOO_EXPENSIVE = 'EvaluationTooExpensive';
/** Compliant: not every namespace has been evaluated. */
export const NOT_EVALUATED = 'NotEvaluated';
/** Expired is False, and Events on the policy: the policy ends later, within seven days, within one day. */
export const EXPIRES_LATER = 'ExpiresLater';
export const EXPIRES_WITHIN_A_WEEK = 'ExpiresWithinAWeek';
export const EXPIRES_WITHIN_A_DAY = 'ExpiresWithinADay';
/** Expired, Programmed and Ready are True, and an Event on the policy: the policy counts as deleted. */
export const EXPIRED = 'Expired';
/** LabelConflict: a Pod Security label of another owner is left alone. */
export const FOREIGN_LABEL = 'ForeignLabel';
/**
 * LabelRefused, and Event on the policy: the API server does not let the operator write a label of a namespace, for instance
 * because another tool's policy refuses it. Ready is False while that keeps a namespace pending.
 */
export const WRITE_REFUSED = 'WriteRefused';
/**
 * Event on the policy, or on the object if several policies own it: somebody modified or deleted the object out of
 * band, and the operator restored it.
 */
export const DRIFT_REPAIRED = 'DriftRepaired';
/** Event on a namespace: somebody removed the label of a rollout from a namespace where the policy is still pending. */
export const ROLLOUT_LABEL_RESTORED = 'RolloutLabelRestored';
/** Events on a workload and on the policy: the workload no longer violates the policy, or was deleted. */
export const VIOLATION_ENDED = 'ViolationEnded';
/** UseLimitExceeded: more policies with restricted use decide in a namespace than an admission policy can ask about. */
export const TOO_MANY_RESTRICTED = 'TooManyRestricted';
/** Protected: every API server that answers has a file that refuses changes of the objects that the operator writes. */
export const FILE_IN_FORCE = 'FileInForce';
/** Protected: at least one API server has no file in force that protects the objects. */
export const NO_FILE_IN_FORCE = 'NoFileInForce';
/** Protected: the file names another operator, so the API servers refuse the writes of this operator. */
export const OTHER_OPERATOR = 'OtherOperator';
/** Protected: no API server has answered. */
export const NOT_ANSWERED = 'NotAnswered';
/** Event on a namespace: a policy with a rollout is now enforced in the namespace. */
export const NAMESPACE_ENFORCED = 'NamespaceEnforced';
/** Event on the policy: workloads violate it in all namespaces that are still pending, so the rollout makes no progress. */
export const ROLLOUT_BLOCKED = 'RolloutBlocked';
/** Event on the policy: it is enforced in all of its namespaces. */
export const ROLLOUT_COMPLETE = 'RolloutComplete';
