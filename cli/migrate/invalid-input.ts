/** The errors of the objects to migrate. */

/** Keys and indices from the object's root. */
export type Path = readonly (string | number)[];

export interface Problem {
  /** The object, by its index. */
  readonly index: number;
  /** Kind and name, such as `PodSecurityPolicy/restricted`. */
  readonly object: string;
  readonly path: Path;
  /** In the API server's words if it would have refused the object. */
  readonly reason: string;
}

export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
  /** At least one, in the order of the objects. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

/** `PodSecurityPolicy/restricted: spec.runAsUser.rule: Required value` */
export function problemText({ object, path, reason }: Problem): string {
  return [object, pathText(path), reason].filter((part) => part !== '').join(': ');
}

/** `spec.hostPorts[0].min`; a key with dots in brackets, as the API server writes them. */
export function pathText(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' || step.includes('.') ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('');
}
