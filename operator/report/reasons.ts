/**
 * The reasons of conditions and Events. Reasons are stable identifiers for programs. If a policy is refused, the reason
 * of the condition Accepted is the reason of the refusal (operator/policy/resolve.ts).
 */

/** Reason of the condition Accepted: the policy was compiled. */
export const ACCEPTED = 'Compiled';
/**
 * Reason of the conditions Programmed and Ready: the current spec is not accepted. If a generation of the policy is not
 * accepted, the operator writes nothing for this generation.
 */
export const NOT_ACCEPTED = 'NotAccepted';
/** Reason of the conditions Programmed and Ready: the operator has not written anything for the policy yet. */
export const PENDING = 'Pending';
/**
 * Reason of the conditions Programmed and Ready: the operator is writing or has written the policy's objects, but some
 * API server does not enforce the objects yet.
 */
export const PROGRAMMING = 'Programming';
/**
 * Reason of the conditions Programmed and Ready: according to probes, every answering API server enforces the newest
 * row of the policy.
 */
export const IN_FORCE = 'InForce';
/**
 * Reason of the conditions Programmed and Ready: an API server refused an object that the operator tried to write. The
 * reason is also used for Ready if an API server refuses a label on a namespace that no platform owns.
 */
export const APPLY_FAILED = 'ApplyFailed';
/**
 * Reason of the conditions Programmed and Ready: the policy's objects are written, but another tool's admission policy
 * or webhook refuses the probes. API servers may enforce the policy, but the operator cannot prove it.
 */
export const PROBE_REFUSED = 'ProbeRefused';
/** Reason of the condition Compliant: no workload violates the policy. */
export const NO_VIOLATION = 'NoViolation';
/**
 * Reason of the condition Compliant: some workload violates the policy. The reason is also used for Events on a
 * workload and on the policy, when the workload begins to violate the policy.
 */
export const WORKLOAD_VIOLATES = 'WorkloadViolates';
/**
 * Reason of Events on a workload and on the policy: the workload violates an Audit or Warn policy, and an Enforce
 * policy admits the workload.
 */
export const EXCEPTION_ADMITS = 'ExceptionAdmits';
/** Reason of Compliant=Unknown: no workload violates the policy, but some workloads are too expensive to evaluate. */
export const EVALUATION_TOO_EXPENSIVE = 'EvaluationTooExpensive';
/** Reason of the condition Compliant: not every namespace has been evaluated. */
export const NOT_EVALUATED = 'NotEvaluated';
/**
 * Reasons of Expired=False, and of Events on the policy: the policy expires later, within seven days, or within one
 * day.
 */
export const EXPIRES_LATER = 'ExpiresLater';
export const EXPIRES_WITHIN_A_WEEK = 'ExpiresWithinAWeek';
export const EXPIRES_WITHIN_A_DAY = 'ExpiresWithinADay';
/** Reason of Expired=True, Programmed=True and Ready=True, and of an Event on the policy: the policy has expired. */
export const EXPIRED = 'Expired';
/** Reason of the condition LabelConflict: the operator does not change a Pod Security label of another owner. */
export const FOREIGN_LABEL = 'ForeignLabel';
/**
 * Reason of the condition LabelRefused, and of Events on the policy and on the namespace: the API server refuses a
 * label that the operator writes on a namespace. For example, another tool's admission policy may refuse the write.
 */
export const WRITE_REFUSED = 'WriteRefused';
/**
 * Reason of Events: somebody modified or deleted an object of the operator out of band, and the operator restored the
 * object. The Event is on the policy that owns the object. If several policies own the object, the Event is on the
 * object.
 */
export const DRIFT_REPAIRED = 'DriftRepaired';
/**
 * Reason of Events on the operator's namespace: the storage of the API servers went back to an earlier revision, so the
 * operator reads and proves everything again.
 */
export const STORAGE_WENT_BACK = 'StorageWentBack';
/**
 * Reason of Events on a namespace: somebody removed the label of a rollout, although the policy is still pending in the
 * namespace.
 */
export const ROLLOUT_LABEL_RESTORED = 'RolloutLabelRestored';
/** Reason of Events on a workload and on the policy: the workload no longer violates the policy, or was deleted. */
export const VIOLATION_ENDED = 'ViolationEnded';
/**
 * Reason of the condition UseLimitExceeded: an admission policy cannot check all CapabilityPolicies with restricted use
 * that decide in a namespace.
 */
export const TOO_MANY_RESTRICTED = 'TooManyRestricted';
/**
 * Reason of the condition Protected: on every answering API server, a static admission policy protects the operator's
 * objects from all other users.
 */
export const FILE_IN_FORCE = 'FileInForce';
/**
 * Reason of the condition Protected: on at least one API server, no static admission policy protects the operator's
 * objects.
 */
export const NO_FILE_IN_FORCE = 'NoFileInForce';
/**
 * Reason of the condition Protected: the static admission policy protects the objects for another operator. API servers
 * refuse this operator's writes.
 */
export const OTHER_OPERATOR = 'OtherOperator';
/** Reason of the condition Protected: no API server has answered. */
export const NOT_ANSWERED = 'NotAnswered';
/**
 * Reason of Events on the policy: its rollout begins in namespaces that have a label `enforce` of Pod Security. So the
 * policy may have been enforced there before, for example before a restore.
 */
export const ROLLOUT_OVER_LABELS = 'RolloutOverLabels';
/** Reason of Events on a namespace: a policy with a rollout is now enforced in the namespace. */
export const NAMESPACE_ENFORCED = 'NamespaceEnforced';
/**
 * Reason of Events on the policy: the rollout makes no progress, because each pending namespace has a workload that
 * violates the policy.
 */
export const ROLLOUT_BLOCKED = 'RolloutBlocked';
/** Reason of Events on the policy: the policy is now enforced in all of its namespaces. */
export const ROLLOUT_COMPLETE = 'RolloutComplete';
