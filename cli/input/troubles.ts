/** Reports the problems of the input on standard error. */
import { type Trouble, troubleText } from '../../analysis/manifests/trouble.ts';
import type { Io } from '../command.ts';

/** Writes each problem as one line to standard error, when the problem is found. */
export class Troubles {
  readonly #stderr: Io['stderr'];
  #count = 0;

  constructor({ stderr }: Pick<Io, 'stderr'>) {
    this.#stderr = stderr;
  }

  get count(): number {
    return this.#count;
  }

  readonly trouble = (trouble: Trouble): void => {
    if (trouble.severity !== 'warning') this.#count += 1;
    this.#stderr.write(`cappol: ${troubleText(trouble)}\n`);
  };
}
