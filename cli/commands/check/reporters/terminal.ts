/**
 * The reporter for -o table and -o wide on a terminal. Results are grouped by namespace and workload, in lines that fit
 * into the terminal.
 */
import { policiesText } from '../../../../analysis/check/merged.ts';
import type { CheckedItem } from '../../../../analysis/check/result.ts';
import { EFFECT_STYLES } from '../../../output/effect-paint.ts';
import { type Entry, groupedText, type WorkloadEntries, withSharedDetail } from '../../../output/grouped.ts';
import { paragraph } from '../../../output/wrap.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, withoutViolations } from './shown.ts';
import { summaryLines } from './summary-text.ts';

export function terminalReporter({ stdout, terminal }: ReporterOptions, wide: boolean): Reporter {
  const workloads: WorkloadEntries[] = [];
  return {
    wide,
    item(shown) {
      const entries = entriesOf(shown, wide);
      if (entries.length === 0) return;
      const { namespace, file, line } = shown.item;
      const group = {
        namespace,
        workload: itemName(shown.item, false),
        remark: place(file, line),
        entries,
      };
      workloads.push(file === null ? withSharedDetail(group) : group);
    },
    end(summary, totals) {
      const lines = summaryLines(summary, totals).map((line) => paragraph(line, terminal));
      const groups = groupedText(workloads, terminal);
      stdout.write([...(groups === '' ? [] : [groups, '\n']), ...lines].join(''));
    },
  };
}

function entriesOf({ item, violations, findings }: Shown, wide: boolean): Entry[] {
  /** The position and the policies of a violation, such as `deploy/web.yaml:22, by restricted`. */
  const detail = ({ line, path }: { line: number | null; path: string }, by: string) =>
    [place(item.file, line), wide ? path : '', by].filter((part) => part !== '').join(', ');
  const broken = violations.map((one) => ({
    label: one.effect.toLowerCase(),
    style: EFFECT_STYLES[one.effect],
    text: `${one.first.rule}: ${one.message}`,
    detail: detail(one.first, `by ${policiesText(one)}`),
  }));
  const notes = findings.map((one) => ({
    label: 'note',
    text: `${one.reason}: ${one.message}`,
    detail: detail(one, ''),
  }));
  return [...(broken.length === 0 && wide ? [whole(item)] : broken), ...notes];
}

function whole(item: CheckedItem): Entry {
  const { result: label, message: text } = withoutViolations(item);
  return { label, text, detail: '', ...(item.verdict === 'Compliant' && { style: EFFECT_STYLES.Admitted }) };
}
