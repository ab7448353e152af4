/** Defines the error for objects that cannot be migrated. */
import type { Problem } from '../schema/problems.ts';

/**
 * A problem of an object to migrate. If the API server would have refused the object, the message is in the API
 * server's words.
 */
export interface InputProblem extends Problem {
  /** The index of the object in the input. */
  readonly index: number;
  /** The kind and name of the object, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
}

export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
  /** The problems in the order of the objects. The list has at least one problem. */
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

/** A problem as text, such as `PodSecurityPolicy/restricted: spec.runAsUser.rule: Required value`. */
export function problemText({ object, message }: InputProblem): string {
  return `${object}: ${message}`;
}
