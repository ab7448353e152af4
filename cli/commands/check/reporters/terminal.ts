/** -o table and -o wide on a terminal: by namespace and workload, in lines that fit it. */
import { type Entry, groupedText, type WorkloadEntries, withSharedDetail } from '../../../output/grouped.ts';
import { policiesText } from '../../../output/merged.ts';
import { OUTCOME_STYLES } from '../../../output/outcome.ts';
import type { Terminal } from '../../../output/terminal.ts';
import { paragraph } from '../../../output/wrap.ts';
import type { CheckedItem, Summary } from '../result.ts';
import { place, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, type Totals, withoutViolations } from './shown.ts';
import { summaryLines } from './summary-text.ts';

export class TerminalReporter implements Reporter {
  readonly wide: boolean;
  readonly #stdout: ReporterOptions['stdout'];
  readonly #terminal: Terminal;
  readonly #workloads: WorkloadEntries[] = [];

  constructor({ stdout, terminal }: ReporterOptions, wide: boolean) {
    this.#stdout = stdout;
    this.#terminal = terminal;
    this.wide = wide;
  }

  item(shown: Shown): void {
    const entries = this.#entriesOf(shown);
    if (entries.length === 0) return;
    const { namespace, kind, name, template, file, line } = shown.item;
    const workload = `${kind} ${name}${template === null ? '' : `: ${template}`}`;
    const group = { namespace, workload, remark: place(file, line), entries };
    this.#workloads.push(file === null ? withSharedDetail(group) : group);
  }

  end(summary: Summary, totals: Totals): void {
    const lines = summaryLines(summary, totals).map((line) => paragraph(line, this.#terminal));
    const groups = groupedText(this.#workloads, this.#terminal);
    this.#stdout.write([...(groups === '' ? [] : [groups, '\n']), ...lines].join(''));
  }

  #entriesOf({ item, violations, findings }: Shown): Entry[] {
    const broken = violations.map((one) => ({
      label: one.outcome.toLowerCase(),
      style: OUTCOME_STYLES[one.outcome],
      text: `${one.first.rule}: ${one.message}`,
      detail: this.#detail(item, one.first, `by ${policiesText(one)}`),
    }));
    const notes = findings.map((one) => ({
      label: 'note',
      text: `${one.reason}: ${one.message}`,
      detail: this.#detail(item, one, ''),
    }));
    return [...(broken.length === 0 && this.wide ? [whole(item)] : broken), ...notes];
  }

  /** `deploy/web.yaml:22, by restricted` */
  #detail({ file }: CheckedItem, { line, path }: { line: number | null; path: string }, by: string): string {
    return [place(file, line), this.wide ? path : '', by].filter((part) => part !== '').join(', ');
  }
}

function whole(item: CheckedItem): Entry {
  const { result: label, message: text } = withoutViolations(item);
  return { label, text, detail: '', ...(item.verdict === 'Compliant' && { style: OUTCOME_STYLES.Admitted }) };
}
