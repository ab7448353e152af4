/** The errors in the objects to migrate. */
import type { Problem } from '../schema/problems.ts';

/** In the API server's words, if it would have refused the object. */
export interface InputProblem extends Problem {
  /** The index of the object. */
  readonly index: number;
  /** Kind and name, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
}

export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
  /** At least one, in the order of the objects. */
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

/** `PodSecurityPolicy/restricted: spec.runAsUser.rule: Required value` */
export function problemText({ object, message }: InputProblem): string {
  return `${object}: ${message}`;
}
