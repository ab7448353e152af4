/** The results of applying objects and labels, as plain values for the report. */

export interface ProgramOutcome {
  /**
   * How far the policy is in force. `Working` means that the operator is writing the policy's objects, or that the
   * written objects are not in force yet. `Failed` means that the API server refused a write of the operator.
   */
  readonly state: 'Working' | 'InForce' | 'Failed';
  /** The hash of the policy's newest row. */
  readonly row: string;
  /**
   * `inForce` counts the API servers that enforce the newest row and no older row. `answering` counts the API servers
   * that answer.
   */
  readonly servers: { readonly inForce: number; readonly answering: number };
  /** A message for people. The message names the step that failed, or the step for which the policy waits. */
  readonly message: string;
}

export interface LabelOutcome {
  readonly namespace: string;
  /** The Pod Security labels that the operator owns on the namespace. */
  readonly applied: Readonly<Record<string, string>>;
  readonly conflicts: readonly LabelConflict[];
  /**
   * The reason why the API server refuses to let the operator write the labels. The field is absent if the API server
   * accepted the last write.
   */
  readonly refusal?: LabelRefusal;
}

export interface LabelRefusal {
  /** The labels to add or change. */
  readonly set: readonly string[];
  /** The labels to remove. */
  readonly remove: readonly string[];
  /** The API server's answer. The answer names the component that refused the write, such as an admission webhook. */
  readonly message: string;
}

/** A label that another owner set to a different value. The operator does not change this label. */
export interface LabelConflict {
  readonly label: string;
  readonly theirs: string;
  readonly ours: string;
  readonly managers: readonly string[];
}

/** The result of a pass over all programs. */
export interface PassResult {
  /** The outcomes. The key is the policy's name. As long as nothing changes, every pass returns the same map object. */
  readonly outcomes: ReadonlyMap<string, ProgramOutcome>;
  /**
   * The API server's error, if the API server refused to delete a stale object, or to remove a policy's row from a
   * program. The log reports this error, because the policy may no longer exist.
   */
  readonly unremoved: Error | undefined;
  /** The time in ms until the next pass. The field is set if the operator waits for an event that no watch reports. */
  readonly comeBackMs: number | undefined;
}
