/** -o json, as docs/reference/check.schema.json describes it. */
import type { Reporter, ReporterOptions } from './reporter.ts';
import type { CheckedItem, CheckedPolicy, Summary } from './result.ts';

export class JsonReporter implements Reporter {
  readonly #stdout: ReporterOptions['stdout'];
  #first = true;

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#stdout.write(`{\n  "policies": ${indented(policies)},\n  "items": [`);
  }

  item(item: CheckedItem): void {
    this.#stdout.write(`${this.#first ? '' : ','}\n    ${indented(item, 4)}`);
    this.#first = false;
  }

  end(summary: Summary): void {
    this.#stdout.write(`${this.#first ? '' : '\n  '}],\n  "summary": ${indented(summary)}\n}\n`);
  }
}

function indented(value: unknown, by = 2): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(by)}`);
}
