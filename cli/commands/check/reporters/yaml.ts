/** -o yaml: the same as -o json. */
import { dump } from 'js-yaml';
import type { Trouble } from '../../../input/trouble.ts';
import type { CheckedPolicy, CheckedProblem, Summary } from '../result.ts';
import { checkedProblem, type Reporter, type ReporterOptions } from './reporter.ts';
import type { Shown } from './shown.ts';

const STYLE = { lineWidth: -1, noRefs: true };

export class YamlReporter implements Reporter {
  readonly wide = true;
  readonly #stdout: ReporterOptions['stdout'];
  readonly #problems: CheckedProblem[] = [];
  #empty = true;

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#stdout.write(dump({ policies }, STYLE));
  }

  item({ item }: Shown): void {
    this.#stdout.write(`${this.#empty ? 'items:\n' : ''}${dump([item], STYLE)}`);
    this.#empty = false;
  }

  trouble(trouble: Trouble): void {
    this.#problems.push(checkedProblem(trouble));
  }

  end(summary: Summary): void {
    const rest = dump({ problems: this.#problems, summary }, STYLE);
    this.#stdout.write(`${this.#empty ? 'items: []\n' : ''}${rest}`);
  }
}
