/** The results of applying: plain values for the report. */

export interface ProgramOutcome {
  /** Working: written or being written, not yet seen in force. Failed: the API server refused one of our writes. */
  readonly state: 'Working' | 'InForce' | 'Failed';
  /** The hash of the policy's newest row. */
  readonly row: string;
  /** The number of answering API servers that enforce the newest row, and no longer an older one. */
  readonly servers: { readonly inForce: number; readonly answering: number };
  /** The awaited or failed step, for people. */
  readonly message: string;
}

export interface LabelOutcome {
  readonly namespace: string;
  /** The Pod Security labels on the namespace that we own. */
  readonly applied: Readonly<Record<string, string>>;
  readonly conflicts: readonly LabelConflict[];
  /** Why the API server does not let us write the labels; absent when the last write was accepted. */
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
  /** By name of a policy. As long as nothing changes, the passes give the same map. */
  readonly outcomes: ReadonlyMap<string, ProgramOutcome>;
  /** Why a stale object remains, if the API server refuses to delete it: for the log, since its policy may be deleted. */
  readonly unremoved: Error | undefined;
  /** When to run again, in ms: the operator waits for something that no watch reports. */
  readonly comeBackMs: number | undefined;
}
