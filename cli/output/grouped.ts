/** Prints violations on a terminal, grouped by namespace and workload. The lines fit into the terminal. */
import { printable } from '../../operator/text/printable.ts';
import type { Style, Terminal } from './terminal.ts';
import { wrap } from './wrap.ts';

export interface WorkloadEntries {
  readonly namespace: string;
  /** The workload, such as `Deployment web`. */
  readonly workload: string;
  /** A remark that follows the name of the workload. */
  readonly remark: string;
  readonly entries: readonly Entry[];
}

export interface Entry {
  /** A word that precedes the text of the entry. */
  readonly label: string;
  readonly style?: Style;
  readonly text: string;
  /** The text on the line below the entry. The text can be empty. */
  readonly detail: string;
}

const LABEL_WIDTH = 8;
const WORKLOAD = { indent: 2, hanging: 4 };
const ENTRY_INDENT = 4;

/**
 * The text of all entries. Namespaces are sorted by name. The workloads of a namespace are in the order of the input.
 */
export function groupedText(all: readonly WorkloadEntries[], terminal: Terminal): string {
  const namespaces = Map.groupBy(all, ({ namespace }) => namespace);
  return [...namespaces.keys()]
    .sort()
    .map((namespace) => {
      const workloads = namespaces.get(namespace) ?? [];
      const heading = wrap(terminal.paint('bold', `Namespace ${printable(namespace)}`), terminal);
      return heading + workloads.map((one) => workloadText(one, terminal)).join('');
    })
    .join('\n');
}

/** If all entries of a workload have the same detail, the detail is shown only once, as the remark of the workload. */
export function withSharedDetail(workload: WorkloadEntries): WorkloadEntries {
  const { remark, entries } = workload;
  const [detail = '', ...others] = new Set(entries.map((entry) => entry.detail));
  if (detail === '' || others.length > 0) return workload;
  return {
    ...workload,
    remark: [remark, detail].filter((part) => part !== '').join(', '),
    entries: entries.map((entry) => ({ ...entry, detail: '' })),
  };
}

function workloadText({ workload, remark, entries }: WorkloadEntries, terminal: Terminal): string {
  const name = terminal.paint('bold', printable(workload));
  const title = remark === '' ? name : `${name} (${printable(remark)})`;
  return (
    wrap(title, { ...WORKLOAD, width: terminal.width }) + entries.map((entry) => entryText(entry, terminal)).join('')
  );
}

function entryText({ label, style, text, detail }: Entry, { width, paint }: Terminal): string {
  const padding = ' '.repeat(Math.max(1, LABEL_WIDTH + 1 - label.length));
  const hanging = ENTRY_INDENT + LABEL_WIDTH + 1;
  const first = ' '.repeat(ENTRY_INDENT) + (style ? paint(style, label) : label) + padding;
  if (text === '') return `${first.trimEnd()}\n`;
  const lines = wrap(printable(text), { width, indent: hanging });
  const more = detail === '' ? '' : wrap(printable(detail), { width, indent: hanging });
  return first + lines.slice(hanging) + more;
}
