/** What came of applying: plain values that the report is made from. */

export interface RolloutOutcome {
  /** Working: written or being written, not yet seen in force. Failed: the API server refused something we wrote. */
  readonly state: 'Working' | 'InForce' | 'Failed';
  /** The hash of the newest ruleset. */
  readonly ruleset: string;
  /** How many of the answering API servers refuse by the newest ruleset, and no longer by an older one. */
  readonly servers: { readonly inForce: number; readonly answering: number };
  /** What is awaited or what failed, for people. */
  readonly message: string;
}

export interface LabelOutcome {
  readonly namespace: string;
  /** The Pod Security labels that stand on the namespace by our hand. */
  readonly applied: Readonly<Record<string, string>>;
  readonly conflicts: readonly LabelConflict[];
}

/** A label that somebody else set to another value: it is left alone. */
export interface LabelConflict {
  readonly label: string;
  readonly theirs: string;
  readonly ours: string;
  readonly managers: readonly string[];
}
