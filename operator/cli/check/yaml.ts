/** -o yaml: the same as -o json. */
import { dump } from 'js-yaml';
import type { Reporter, ReporterOptions } from './reporter.ts';
import type { CheckedItem, CheckedPolicy, Summary } from './result.ts';

const STYLE = { lineWidth: -1, noRefs: true };

export class YamlReporter implements Reporter {
  readonly #stdout: ReporterOptions['stdout'];
  #empty = true;

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#stdout.write(dump({ policies }, STYLE));
  }

  item(item: CheckedItem): void {
    this.#stdout.write(`${this.#empty ? 'items:\n' : ''}${dump([item], STYLE)}`);
    this.#empty = false;
  }

  end(summary: Summary): void {
    this.#stdout.write(`${this.#empty ? 'items: []\n' : ''}${dump({ summary }, STYLE)}`);
  }
}
