/**
 * The reasons of conditions and Events, which are stable identifiers for programs. The condition Accepted=False has the
 * reason of the refusal (operator/policy/resolve.ts).
 */

/** Accepted: the policy was compiled. */
export const ACCEPTED = 'Compiled';
/**
 * Programmed and Ready: the current spec is not accepted, so the operator writes nothing for this generation of the
 * policy.
 */
export const NOT_ACCEPTED = 'NotAccepted';
/** Programmed and Ready: nothing has been written for the policy yet. */
export const PENDING = 'Pending';
/** Programmed and Ready: the policy is written or being written, but not yet seen on every API server. */
export const PROGRAMMING = 'Programming';
/** Programmed and Ready: probes have shown that every API server that answers enforces the newest row of the policy. */
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
/** Compliant is Unknown: no workload violates the policy, but some workloads are too expensive to evaluate. */
export const EVALUATION_TOO_EXPENSIVE = 'EvaluationTooExpensive';
/** Compliant: not every namespace has been evaluated. */
export const NOT_EVALUATED = 'NotEvaluated';
/**
 * Reasons of Expired=False, and of Events on the policy: the policy expires later, within seven days or within one day.
 */
export const EXPIRES_LATER = 'ExpiresLater';
export const EXPIRES_WITHIN_A_WEEK = 'ExpiresWithinAWeek';
export const EXPIRES_WITHIN_A_DAY = 'ExpiresWithinADay';
/** Expired, Programmed and Ready are True, and the policy gets an Event: the policy has expired. */
export const EXPIRED = 'Expired';
/** LabelConflict: the operator does not change a Pod Security label of another owner. */
export const FOREIGN_LABEL = 'ForeignLabel';
/**
 * LabelRefused, and Event on the policy: the API server does not let the operator write a label of a namespace, for
 * example because another tool's admission policy refuses the write. Ready is False if the refused write keeps a
 * namespace pending.
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
/** UseLimitExceeded: more policies with restricted use decide in a namespace than an admission policy can check. */
export const TOO_MANY_RESTRICTED = 'TooManyRestricted';
/**
 * Protected: every API server that answers has a static admission policy that lets only the operator change its
 * objects.
 */
export const FILE_IN_FORCE = 'FileInForce';
/** Protected: on at least one API server, no static admission policy protects the operator's objects. */
export const NO_FILE_IN_FORCE = 'NoFileInForce';
/**
 * Protected: the static admission policy protects the objects for another operator, so API servers refuse this
 * operator's writes.
 */
export const OTHER_OPERATOR = 'OtherOperator';
/** Protected: no API server has answered. */
export const NOT_ANSWERED = 'NotAnswered';
/** Event on a namespace: a policy with a rollout is now enforced in the namespace. */
export const NAMESPACE_ENFORCED = 'NamespaceEnforced';
/**
 * Event on the policy: in each namespace that is still pending, a workload violates the policy, so the rollout makes no
 * progress.
 */
export const ROLLOUT_BLOCKED = 'RolloutBlocked';
/** Event on the policy: the policy is now enforced in all of its namespaces. */
export const ROLLOUT_COMPLETE = 'RolloutComplete';
