/** The results of applying: plain values for the report. */

export interface ProgramOutcome {
  /**
   * Working: the object is written or being written, and not in force yet. Failed: the API server refused one of our
   * writes.
   */
  readonly state: 'Working' | 'InForce' | 'Failed';
  /** The hash of the policy's newest row. */
  readonly row: string;
  /** The number of API servers that enforce the newest row and no older one. */
  readonly servers: { readonly inForce: number; readonly answering: number };
  /** The step that the policy waits for or that failed, for people. */
  readonly message: string;
}

export interface LabelOutcome {
  readonly namespace: string;
  /** The Pod Security labels of the namespace that the operator owns. */
  readonly applied: Readonly<Record<string, string>>;
  readonly conflicts: readonly LabelConflict[];
  /** Why the API server does not let the operator write the labels; absent if it accepted the last write. */
  readonly refusal?: LabelRefusal;
}

export interface LabelRefusal {
  /** The labels to add or change. */
  readonly set: readonly string[];
  /** The labels to remove. */
  readonly remove: readonly string[];
  /** The API server's answer, which names who refused. */
  readonly message: string;
}

/** A label that another owner set to a different value: it is left alone. */
export interface LabelConflict {
  readonly label: string;
  readonly theirs: string;
  readonly ours: string;
  readonly managers: readonly string[];
}

/** The result of a pass over all programs. */
export interface PassResult {
  /** The outcomes, by name of a policy. As long as nothing changes, the passes give the same map. */
  readonly outcomes: ReadonlyMap<string, ProgramOutcome>;
  /**
   * Why a stale object remains, if the API server refuses to delete it. It is for the log, because the object's policy
   * may be deleted.
   */
  readonly unremoved: Error | undefined;
  /** In how many ms to run again: the operator waits for something that no watch reports. */
  readonly comeBackMs: number | undefined;
}
