/** -o table and -o wide in a pipe or a file: one line for each violation and for each piece of advice. */
import { policiesText } from '../../../output/merged.ts';
import { outcomePaint } from '../../../output/outcome.ts';
import { tableText } from '../../../output/table.ts';
import type { Terminal } from '../../../output/terminal.ts';
import type { CheckedItem, Summary } from '../result.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, type Totals, withoutViolations } from './shown.ts';
import { summaryLines } from './summary-text.ts';

/** The number of rows that share column widths; later rows are printed as they come. */
const ROWS = 500;

interface Row {
  readonly where: string;
  readonly item: CheckedItem;
  readonly result: string;
  readonly policy: string;
  readonly rule: string;
  readonly field: string;
  readonly message: string;
}

interface Column {
  readonly head: string;
  cell(row: Row): string;
}

export class TableReporter implements Reporter {
  readonly wide: boolean;
  readonly #stdout: ReporterOptions['stdout'];
  readonly #terminal: Terminal;
  #rows: Row[] = [];
  /** Known after the first rows. */
  #columns: readonly Column[] | undefined;

  constructor({ stdout, terminal }: ReporterOptions, wide: boolean) {
    this.#stdout = stdout;
    this.#terminal = terminal;
    this.wide = wide;
  }

  item(shown: Shown): void {
    this.#rows.push(...rowsOf(shown, this.wide));
    if (this.#rows.length >= ROWS) this.#flush();
  }

  end(summary: Summary, totals: Totals): void {
    this.#flush();
    this.#stdout.write(`${this.#columns ? '\n' : ''}${summaryLines(summary, totals).join('\n')}\n`);
  }

  #flush(): void {
    if (this.#rows.length === 0) return;
    const head = this.#columns ? undefined : columnsFor(this.#rows, this.wide);
    const columns = this.#columns ?? head ?? [];
    const cells = this.#rows.map((row) => columns.map(({ cell }) => cell(row)));
    const heads = columns.map((column) => column.head);
    const paint = outcomePaint(RESULT, this.#terminal);
    this.#stdout.write(tableText(head && heads, cells, { heads, paint }));
    this.#columns = columns;
    this.#rows = [];
  }
}

const RESULT = 'RESULT';

function rowsOf({ item, violations, findings }: Shown, wide: boolean): Row[] {
  const own = { item, policy: '', rule: '', field: '', message: '' };
  const rows = violations.map((one) => ({
    ...own,
    where: place(item.file, one.first.line),
    result: one.outcome.toLowerCase(),
    policy: policiesText(one),
    rule: one.first.rule,
    field: one.first.path,
    message: one.message,
  }));
  const notes = findings.map(({ reason, path, message, line }) => ({
    ...own,
    where: place(item.file, line),
    result: 'note',
    rule: reason,
    field: path,
    message,
  }));
  const whole = { ...own, where: place(item.file, item.line), ...withoutViolations(item) };
  return [...(rows.length === 0 && wide ? [whole] : rows), ...notes];
}

/** Workloads read from a cluster have no file. */
function columnsFor(rows: readonly Row[], wide: boolean): Column[] {
  const located = rows.some(({ where }) => where !== '');
  const columns: readonly (Column & { shown?: boolean })[] = [
    { head: 'WHERE', cell: ({ where }) => where, shown: located },
    { head: 'WORKLOAD', cell: ({ item }) => itemName(item) },
    { head: RESULT, cell: ({ result }) => result },
    { head: 'POLICY', cell: ({ policy }) => policy },
    { head: 'RULE', cell: ({ rule }) => rule },
    { head: 'FIELD', cell: ({ field }) => field, shown: wide },
    { head: 'MESSAGE', cell: ({ message }) => message },
  ];
  return columns.filter(({ shown = true }) => shown);
}
