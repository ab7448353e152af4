/** -o json, as docs/reference/check.schema.json describes it. */
import type { Reporter, ReporterOptions } from './reporter.ts';
import type { CheckedItem, CheckedPolicy, Summary } from './result.ts';

/** What stands around an item in the whole. */
const BEFORE = '{\n  "items": [';
const AFTER = '\n  ]\n}';

export class JsonReporter implements Reporter {
  readonly #stdout: ReporterOptions['stdout'];
  #first = true;

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#stdout.write(text({ policies, items: [] }).slice(0, -']\n}'.length));
  }

  item(item: CheckedItem): void {
    const own = text({ items: [item] }).slice(BEFORE.length, -AFTER.length);
    this.#stdout.write(this.#first ? own : `,${own}`);
    this.#first = false;
  }

  end(summary: Summary): void {
    this.#stdout.write(`${this.#first ? '' : '\n  '}],${text({ summary }).slice('{'.length)}\n`);
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
