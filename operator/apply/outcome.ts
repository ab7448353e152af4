/** The results of applying objects and labels, as plain values for the report. */
import type { Program } from '../compile/program.ts';

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
  /**
   * The field is true if the program is written, and somebody else refuses the probes. API servers may enforce the
   * policy, but no probe can prove it.
   */
  readonly isUnprovable?: true;
}

export interface LabelOutcome {
  readonly namespace: string;
  /** The Pod Security labels that the operator owns on the namespace. */
  readonly applied: Readonly<Record<string, string>>;
  readonly conflicts: readonly LabelConflict[];
  /**
   * The default of Pod Security, such as `baseline:v1.30`, if the namespace has no label `enforce` and the default
   * refuses pods that the deciding policies admit.
   */
  readonly refusingDefault?: string;
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

/** A label of another owner that the operator does not change, although the policies want another one. */
export interface LabelConflict {
  readonly label: string;
  readonly theirs: string;
  /** The value that the operator would set. The field is absent if the policies want no label. */
  readonly ours?: string;
  readonly managers: readonly string[];
  /** Present if the labels make Pod Security refuse pods that the deciding policies admit. */
  readonly refuses?: true;
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** A program that the API server refuses. */
export interface RefusedProgram {
  readonly program: Program;
  /** The names of the policies whose rows the write would change. */
  readonly changing: ReadonlySet<string>;
  /** The names of the policies that have a row in the live program. */
  readonly live: ReadonlySet<string>;
}

/** The result of a pass over all programs. */
export interface PassResult {
  /** The outcomes. The key is the policy's name. As long as nothing changes, every pass returns the same map object. */
  readonly outcomes: ReadonlyMap<string, ProgramOutcome>;
  /**
   * The policies that have to keep the spec whose row is in force, because the API server refuses to remove users that
   * the next spec must not have.
   */
  readonly held: ReadonlySet<string>;
  /** The programs that the API server refuses, whether or not the refusal depends on their rows. */
  readonly refused: readonly RefusedProgram[];
  /**
   * The API server's error, if the API server refused to delete a stale object, or to remove a policy's row from a
   * program. The log reports this error, because the policy may no longer exist.
   */
  readonly unremoved: Error | undefined;
  /** The object that `unremoved` is about. */
  readonly unremovedFrom?: Named | undefined;
  /** The time in ms until the next pass. The field is set if the operator waits for an event that no watch reports. */
  readonly comeBackMs: number | undefined;
}
