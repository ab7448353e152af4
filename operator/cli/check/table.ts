/** -o table: a row for each violation, and for what does not do what it seems to; -o wide: all else, too. */
import type { FindingReason } from '../../evaluate/findings.ts';
import { tableText } from '../table.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import type { CheckedItem, CheckedPolicy, Summary } from './result.ts';

/** So many rows share their columns' widths: more are not kept back. */
const ROWS = 500;
/** True of nearly every container that level restricted would refuse: rows of it would hide all others. */
const ONLY_WIDE: FindingReason = 'HeldByRuntimeDefault';
const HEAD = ['WHERE', 'WORKLOAD', 'VERDICT', 'POLICY', 'RULE', 'MESSAGE'];
const WIDE_HEAD = [...HEAD.slice(0, 3), 'MODE', ...HEAD.slice(3, 5), 'FIELD', 'MESSAGE'];

interface Row {
  readonly where: string;
  readonly item: CheckedItem;
  readonly verdict: string;
  readonly policy: string;
  readonly rule: string;
  readonly field: string;
  readonly message: string;
}

export class TableReporter implements Reporter {
  readonly #stdout: ReporterOptions['stdout'];
  readonly #wide: boolean;
  #policies: readonly CheckedPolicy[] = [];
  #rows: Row[] = [];
  #begun = false;
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

  end(summary: Summary): void {
    this.#flush();
    this.#stdout.write(`${this.#begun ? '\n' : ''}${summaryText(summary, this.#policies.length, this.#hidden)}\n`);
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
    const head = this.#wide ? WIDE_HEAD : HEAD;
    this.#stdout.write(
      tableText(
        this.#begun ? undefined : head,
        this.#rows.map((row) => this.#cells(row)),
      ),
    );
    this.#begun = true;
    this.#rows = [];
  }

  #cells({ where, item, verdict, policy, rule, field, message }: Row): string[] {
    const mode = this.#policies.find(({ name }) => name === policy)?.mode ?? '';
    const wide = this.#wide ? { mode: [mode], field: [field] } : { mode: [], field: [] };
    return [where, itemName(item), verdict, ...wide.mode, policy, rule, ...wide.field, message];
  }
}

/** @param hidden how many notes are not among the rows */
function summaryText(summary: Summary, policies: number, hidden: number): string {
  const { items, compliant, violating, unknown, notSelected, violations, skipped, errors } = summary;
  const parts = [
    `${compliant} compliant`,
    `${violating} violating${violations > 0 ? ` (${counted(violations, 'violation')})` : ''}`,
    ...(unknown > 0 ? [`${unknown} unknown: it depends on who creates the pod`] : []),
    ...(notSelected > 0 ? [`${notSelected} that no policy decides about`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'other object')} left out`] : []),
    ...(errors > 0 ? [counted(errors, 'error')] : []),
  ];
  const free =
    items > 0 && notSelected === items
      ? '\nPolicies select namespaces by their labels: a Namespace among the manifests has them, or --namespace-labels'
      : '';
  const notes = hidden > 0 ? `\n${counted(hidden, 'note')} on capabilities held by default: -o wide shows them` : '';
  return `${counted(items, 'workload')} judged by ${counted(policies, 'policy', 'policies')}: ${parts.join(', ')}${free}${notes}`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
