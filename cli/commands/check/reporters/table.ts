/** The reporter for -o table and -o wide in a pipe or a file. Each violation and each finding has its own line. */
import { policiesText } from '../../../../analysis/check/merged.ts';
import type { CheckedItem } from '../../../../analysis/check/result.ts';
import { effectPaint } from '../../../output/effect-paint.ts';
import { withShortMessages } from '../../../output/short-rows.ts';
import { tableText } from '../../../output/table.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, withoutViolations } from './shown.ts';
import { summaryLines } from './summary-text.ts';

/** The program calculates the widths of the columns from this number of rows. Later rows are printed one by one. */
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

export function tableReporter({ stdout, terminal }: ReporterOptions, wide: boolean): Reporter {
  let rows: Row[] = [];
  /** The columns. Until the first rows have been printed, `known` is undefined. */
  let known: readonly Column[] | undefined;
  const flush = () => {
    if (rows.length === 0) return;
    const columns = known ?? columnsFor(rows, wide);
    const cells = fitted(
      columns,
      rows.map((row) => columns.map(({ cell }) => cell(row))),
      wide,
    );
    const heads = columns.map((column) => column.head);
    stdout.write(tableText(known ? undefined : heads, cells, { heads, paint: effectPaint(RESULT, terminal) }));
    known = columns;
    rows = [];
  };
  return {
    wide,
    item(shown) {
      rows.push(...rowsOf(shown, wide));
      if (rows.length >= ROWS) flush();
    },
    end(summary, totals) {
      flush();
      stdout.write(`${known ? '\n' : ''}${summaryLines(summary, totals).join('\n')}\n`);
    },
  };
}

const RESULT = 'RESULT';

function rowsOf({ item, violations, findings }: Shown, wide: boolean): Row[] {
  const own = { item, policy: '', rule: '', field: '', message: '' };
  const rows = violations.map((one) => ({
    ...own,
    where: place(item.file, one.first.line),
    result: one.effect.toLowerCase(),
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

/** Shortens messages that are too long for a line. Only -o wide shows long lists of accepted values completely. */
function fitted(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  wide: boolean,
): readonly (readonly string[])[] {
  return wide
    ? rows
    : withShortMessages(
        columns.map(({ head }) => head),
        rows,
      );
}

/** Workloads from a cluster have no file. */
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
