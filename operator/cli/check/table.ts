/** -o table: a row for each violation, and for what does not do what it seems to; -o wide: all else, too. */
import type { FindingReason } from '../../evaluate/findings.ts';
import { counted } from '../../report/text.ts';
import { tableText } from '../table.ts';
import { coverageLines } from './coverage-text.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import type { CheckedItem, CheckedPolicy, Summary } from './result.ts';

/** So many rows share their columns' widths: more are not kept back. */
const ROWS = 500;
/** True of nearly every container that level restricted would refuse: rows of it would hide all others. */
const ONLY_WIDE: FindingReason = 'HeldByRuntimeDefault';

interface Row {
  readonly where: string;
  readonly item: CheckedItem;
  readonly verdict: string;
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
  readonly #stdout: ReporterOptions['stdout'];
  readonly #wide: boolean;
  #policies: readonly CheckedPolicy[] = [];
  #rows: Row[] = [];
  /** Known with the first rows. */
  #columns: readonly Column[] | undefined;
  #hidden = 0;

  constructor({ stdout }: ReporterOptions, wide: boolean) {
    this.#stdout = stdout;
    this.#wide = wide;
  }

  begin(policies: readonly CheckedPolicy[]): void {
    this.#policies = policies;
  }

  item(item: CheckedItem): void {
    this.#rows.push(...this.#rowsOf(item));
    if (this.#rows.length >= ROWS) this.#flush();
  }

  /** Standard error has it. */
  trouble(): void {}

  end(summary: Summary): void {
    this.#flush();
    this.#stdout.write(`${this.#columns ? '\n' : ''}${summaryText(summary, this.#policies.length, this.#hidden)}\n`);
  }

  #rowsOf(item: CheckedItem): Row[] {
    const { file, verdict } = item;
    const rows = item.violations.map(({ policy, rule, path, message, line }) => ({
      where: place(file, line),
      item,
      verdict,
      policy,
      rule,
      field: path,
      message,
    }));
    const own = { where: place(file, item.line), item, verdict, policy: '', rule: '', field: '', message: '' };
    const shown = item.findings.filter(({ reason }) => this.#wide || reason !== ONLY_WIDE);
    this.#hidden += item.findings.length - shown.length;
    const notes = shown.map(({ reason, path, message, line }) => ({
      ...own,
      where: place(file, line),
      verdict: 'Note',
      rule: reason,
      field: path,
      message,
    }));
    return [...(rows.length === 0 && this.#wide ? [own] : rows), ...notes];
  }

  #flush(): void {
    if (this.#rows.length === 0) return;
    const head = this.#columns ? undefined : this.#columnsFor(this.#rows);
    const columns = this.#columns ?? head ?? [];
    const cells = this.#rows.map((row) => columns.map(({ cell }) => cell(row)));
    this.#stdout.write(
      tableText(
        head?.map((column) => column.head),
        cells,
      ),
    );
    this.#columns = columns;
    this.#rows = [];
  }

  /** What runs in a cluster stands in no file. */
  #columnsFor(rows: readonly Row[]): Column[] {
    const located = rows.some(({ where }) => where !== '');
    const modes = new Map(this.#policies.map(({ name, mode }) => [name, mode]));
    const columns: readonly (Column & { shown?: boolean })[] = [
      { head: 'WHERE', cell: ({ where }) => where, shown: located },
      { head: 'WORKLOAD', cell: ({ item }) => itemName(item) },
      { head: 'VERDICT', cell: ({ verdict }) => verdict },
      { head: 'MODE', cell: ({ policy }) => modes.get(policy) ?? '', shown: this.#wide },
      { head: 'POLICY', cell: ({ policy }) => policy },
      { head: 'RULE', cell: ({ rule }) => rule },
      { head: 'FIELD', cell: ({ field }) => field, shown: this.#wide },
      { head: 'MESSAGE', cell: ({ message }) => message },
    ];
    return columns.filter(({ shown = true }) => shown);
  }
}

/** @param hidden how many notes are not among the rows */
function summaryText(summary: Summary, policies: number, hidden: number): string {
  const { items, compliant, violating, unknown, notSelected, excluded, violations, skipped, errors } = summary;
  const parts = [
    `${compliant} compliant`,
    `${violating} violating${violations > 0 ? ` (${counted(violations, 'violation')})` : ''}`,
    ...(unknown > 0 ? [`${unknown} unknown: it depends on who creates the pod`] : []),
    ...(notSelected > excluded ? [`${notSelected - excluded} that no policy decides about`] : []),
    ...(excluded > 0 ? [`${excluded} in excluded namespaces`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'other object')} left out`] : []),
    ...(errors > 0 ? [counted(errors, 'error')] : []),
  ];
  const free =
    items > excluded && notSelected === items
      ? '\nPolicies select namespaces by their labels: a Namespace among the manifests has them, or --namespace-labels'
      : '';
  const notes = hidden > 0 ? `\n${counted(hidden, 'note')} on capabilities held by default: -o wide shows them` : '';
  const coverage = coverageLines(summary).map((line) => `\n${line}`);
  return `${counted(items, 'workload')} judged by ${counted(policies, 'policy')}: ${parts.join(', ')}${free}${coverage.join('')}${notes}`;
}
