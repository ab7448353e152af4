/** -o json, as docs/reference/check.schema.json describes it. */
import type { Trouble } from '../../../input/trouble.ts';
import { jsonText } from '../../../output/printable.ts';
import type { CheckedPolicy, CheckedProblem, Summary } from '../result.ts';
import { checkedProblem, type Reporter, type ReporterOptions } from './reporter.ts';
import type { Shown } from './shown.ts';

/** The surroundings of an item in the whole document. */
const BEFORE = '{\n  "items": [';
const AFTER = '\n  ]\n}';

export class JsonReporter implements Reporter {
  readonly wide = true;
  readonly #stdout: ReporterOptions['stdout'];
  readonly #problems: CheckedProblem[] = [];
  #first = true;

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#stdout.write(jsonText({ policies, items: [] }).slice(0, -']\n}'.length));
  }

  item({ item }: Shown): void {
    const own = jsonText({ items: [item] }).slice(BEFORE.length, -AFTER.length);
    this.#stdout.write(this.#first ? own : `,${own}`);
    this.#first = false;
  }

  trouble(trouble: Trouble): void {
    this.#problems.push(checkedProblem(trouble));
  }

  end(summary: Summary): void {
    const rest = jsonText({ problems: this.#problems, summary });
    this.#stdout.write(`${this.#first ? '' : '\n  '}],${rest.slice('{'.length)}\n`);
  }
}
